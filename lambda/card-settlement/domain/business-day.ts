import { cutOffOf, type BusinessCalendar, type BusinessDate } from './business-date.ts';
import type { TerminalLine, TerminalMismatch } from './terminal-totals.ts';
import { conserved, sameTotals, type ControlTotals, type StagedSummary } from './totals.ts';

/** What starts a run: the schedule, an operator, an earlier run, or rates that a blocked day waited for. */
export type Trigger = 'schedule' | 'operator' | 'continue' | 'rates';

export type DayStatus = 'open' | 'sealed' | 'blocked' | 'balanced';

/** No request. */
export const NOTHING_ASKED = 'nothing';

/** A difference between two sets of books. */
export interface Break {
  /**
   * `unsettled`: sent, and not in the ledger when it should be. `unstaged`: in the ledger, and never staged.
   * `mismatched`: in both, with another amount or currency.
   * `straggler`: staged into a day that was balanced.
   * `terminal-totals`: what a terminal reports of the date is not what was staged of it. Such a break keeps no day from
   * being balanced: people find out whose books are wrong.
   */
  readonly kind: 'unsettled' | 'unstaged' | 'mismatched' | 'straggler' | 'terminal-totals';
  /** What the difference is about: a business date, or a terminal. */
  readonly subject: string;
  readonly count?: number;
  /** At most `BREAK_ID_LIMIT` of the transactions. */
  readonly ids?: readonly string[];
  /** Of a terminal: the lines that differ, as it reported them, and as they were staged. */
  readonly expected?: readonly TerminalLine[];
  readonly actual?: readonly TerminalLine[];
}

export const BREAK_ID_LIMIT = 100;

/** A business day, as its record stands. Instants are ISO 8601 UTC with milliseconds, and compare as text. */
export interface BusinessDay {
  readonly businessDate: BusinessDate;
  readonly revision: number;
  readonly firstStagedAt?: string;
  readonly sealedAt?: string;
  readonly balancedAt?: string;
  /** Currencies whose rates settlement waits for. */
  readonly ratesMissing?: readonly string[];
  /**
   * A clock that was read once a run knew of the seal: the write that sealed the day came before. `sealedAt` is no such
   * instant, because the write may have come long after it.
   */
  readonly sealSeenAt?: string;
  /** The run that concluded last, and its message: only what it asked for goes on. */
  readonly lastRun?: string;
  readonly lastMessage?: string;
  /** What had asked for another run when a lease was given back last. */
  readonly handedOn?: Trigger | typeof NOTHING_ASKED;
  /** Everything staged a margin before this instant has been sent at least once. */
  readonly sentFrom?: string;
  /** When the last run began that sent all that was missing. */
  readonly allSentFrom?: string;
  /** From this instant on, what is missing is sent again, unless it waits in the settlement queue. */
  readonly resendAt?: string;
  /** What was staged before this instant and is missing is a break. */
  readonly overdueBefore?: string;
  /**
   * The fewest facts missing and messages waiting since all was sent, when either last became fewer, and since when there
   * have been few messages.
   */
  readonly progress?: {
    readonly missing: number;
    readonly waiting?: number;
    readonly since: string;
    readonly fewSince?: string;
  };
  /** When the last pass over the books ended. */
  readonly asOf?: string;
  readonly totals: Readonly<Record<string, ControlTotals>>;
  readonly breaks: readonly Break[];
}

/** The numbers that a run needs. */
export interface RunSettings {
  readonly calendar: BusinessCalendar;
  /** From the seal to the first run that may balance. */
  readonly sealWaitSeconds: number;
  /** The settlement queue's batching window. */
  readonly settlementWindowSeconds: number;
  /** `maxReceiveCount × visibility timeout + window`: by then a message is settled, or in the dead-letter queue. */
  readonly settlementHorizonSeconds: number;
}

/** How long after a day's first transaction the schedule lets the day stay open past its cut-off. */
const LATE_DAY_HOURS = 2;

/**
 * A transaction staged up to this long before a run began may have been invisible to it: intake's timeout of 10 s, and
 * the lag of a global index.
 */
const UNSEEN_SECONDS = 15;

/** A run asks for the next at most this long ahead: by then the schedule looks at the days itself. */
const DELAY_LIMIT_SECONDS = 900;

export function statusOf(day: Pick<BusinessDay, 'sealedAt' | 'balancedAt' | 'ratesMissing'>): DayStatus {
  if (day.balancedAt !== undefined) return 'balanced';
  if (day.ratesMissing !== undefined) return 'blocked';
  return day.sealedAt === undefined ? 'open' : 'sealed';
}

/**
 * True if this run seals the day. An operator's request seals once the cut-off has passed; the schedule also waits
 * until 2 h after the day's first transaction, so that a day reported late is not closed under its reporter.
 */
export function seals(
  day: Pick<BusinessDay, 'businessDate' | 'sealedAt' | 'firstStagedAt'>,
  trigger: Trigger,
  now: Date,
  calendar: BusinessCalendar,
): boolean {
  if (day.sealedAt !== undefined || now.getTime() < cutOffOf(day.businessDate, calendar).getTime())
    return false;
  if (trigger === 'operator') return true;
  // An operator's request may have made the record before the day had a transaction: it is sealed at its cut-off.
  return (
    day.firstStagedAt === undefined ||
    now.getTime() >= Date.parse(day.firstStagedAt) + LATE_DAY_HOURS * 3_600_000
  );
}

/** Which of the missing facts a run sends. */
export interface SendPlan {
  /** True if, with what earlier runs have sent, all that is missing is sent. */
  readonly all: boolean;
  /** What was staged before this instant has been sent; absent if nothing has. */
  readonly sentBefore?: string;
  /** What an interrupted run has sent besides: of the facts up to this key, those that were staged before its instant. */
  readonly interrupted?: { readonly through: string; readonly sentBefore: string };
}

/** True if the plan sends the fact, should it be missing. @param key where it stands in the order of the walk */
export function sends(plan: SendPlan, { stagedAt }: Pick<StagedSummary, 'stagedAt'>, key: string): boolean {
  const { interrupted } = plan;
  if (interrupted !== undefined && key <= interrupted.through && stagedAt < interrupted.sentBefore)
    return false;
  return plan.sentBefore === undefined || stagedAt >= plan.sentBefore;
}

/** What a run that ended without a conclusion had sent: of its plan, all up to a key. */
export interface InterruptedSends {
  readonly startedAt: string;
  readonly all: boolean;
  readonly through: string;
}

/** What is known when a run begins. */
export interface RunStart {
  readonly trigger: Trigger;
  readonly startedAt: Date;
  /** True if the rates that the day waited for are there. */
  readonly ratesFound: boolean;
  /** Messages in the settlement queue, about: waiting, in flight or delayed. Absent if nobody asked. */
  readonly waiting?: number;
  readonly interrupted?: InterruptedSends;
}

/** Fewer messages than this are settled long before the horizon, and sent in vain they cost nothing. */
const FEW_MESSAGES = 1000;
/** SQS counts approximately: less of a change shows nothing. */
const LEAST_CHANGE = 0.01;
/** Then the settlement queue has dropped what it had: its retention period. */
const RETENTION_SECONDS = 4 * 86_400;

/**
 * What the settlement queue is at, as far as the messages of this day are concerned. They are sent, and not in the ledger
 * yet: while the queue is `busy`, because they wait. In a `drained` one, because they are lost or in the dead-letter
 * queue. From a `stuck` one nothing has come for as long as a message may take.
 */
type QueueState = 'busy' | 'drained' | 'stuck';

function queueState(day: BusinessDay, start: RunStart, settings: RunSettings): QueueState {
  const { resendAt, progress } = day;
  const { startedAt, waiting } = start;
  if (resendAt === undefined || startedAt.toISOString() < resendAt) return 'busy';
  const isExpired = startedAt.getTime() >= Date.parse(resendAt) + RETENTION_SECONDS * 1000;
  if (waiting === undefined || waiting === 0 || isExpired) return 'drained';
  const isHorizonPast = (since: string | undefined): boolean =>
    since !== undefined &&
    startedAt.getTime() >= Date.parse(since) + settings.settlementHorizonSeconds * 1000;
  if (waiting < FEW_MESSAGES && isHorizonPast(progress?.fewSince)) return 'drained';
  return isHorizonPast(progress?.since) && !isFewer(waiting, progress?.waiting) ? 'stuck' : 'busy';
}

function isFewer(waiting: number, before: number | undefined): boolean {
  return before !== undefined && waiting < before * (1 - LEAST_CHANGE);
}

/**
 * An operator's request sends all that is missing; so does a run that finds the rates a day waited for, and one that finds
 * the settlement queue drained when every message sent before should be settled. A few are also sent again when the queue
 * is stuck: they may be lost, and it full of others. In between, a run sends what no earlier run can have seen. Sending
 * twice is harmless: the ledger takes the first.
 */
export function planSends(day: BusinessDay, start: RunStart, settings: RunSettings): SendPlan {
  const { sentFrom, progress } = day;
  const { trigger, interrupted } = start;
  const state = queueState(day, start, settings);
  const all =
    trigger === 'operator' ||
    trigger === 'rates' ||
    start.ratesFound ||
    sentFrom === undefined ||
    (day.ratesMissing === undefined &&
      (state === 'drained' || (state === 'stuck' && (progress?.missing ?? 0) < FEW_MESSAGES)));
  // What a run that concluded had sent is on the day's record.
  const isOpen = interrupted !== undefined && interrupted.startedAt > (day.asOf ?? '');
  return {
    all,
    ...(all ? {} : { sentBefore: unseenFrom(sentFrom) }),
    ...(isOpen && (interrupted.all || !all)
      ? { interrupted: { through: interrupted.through, sentBefore: unseenFrom(interrupted.startedAt) } }
      : {}),
  };
}

/** What was staged before this instant, a run that began at `startedAt` has seen. */
function unseenFrom(startedAt: string): string {
  return new Date(Date.parse(startedAt) - UNSEEN_SECONDS * 1000).toISOString();
}

/** True if a run that finds nothing missing may balance the day. */
export function mayBalance(day: BusinessDay, startedAt: Date, settings: RunSettings): boolean {
  return (
    day.balancedAt === undefined &&
    day.sealSeenAt !== undefined &&
    startedAt.getTime() >= Date.parse(day.sealSeenAt) + settings.sealWaitSeconds * 1000
  );
}

/**
 * From when on a missing fact is overdue: staged before, it was sent, and is not merely waiting in a busy queue, nor for
 * rates.
 */
export function overdueBefore(day: BusinessDay, start: RunStart, settings: RunSettings): string | undefined {
  const isDue = day.ratesMissing === undefined && queueState(day, start, settings) !== 'busy';
  return isDue ? (day.allSentFrom ?? day.overdueBefore) : day.overdueBefore;
}

/** What a run is going to do, settled when it begins. */
export interface RunPlan {
  readonly sends: SendPlan;
  readonly overdueBefore?: string;
  readonly mayBalance: boolean;
}

export function planRun(day: BusinessDay, start: RunStart, settings: RunSettings): RunPlan {
  const overdue = overdueBefore(day, start, settings);
  return {
    sends: planSends(day, start, settings),
    ...(overdue === undefined ? {} : { overdueBefore: overdue }),
    mayBalance: mayBalance(day, start.startedAt, settings),
  };
}

/** Counts transactions, and keeps the first ids. */
export interface Tally {
  readonly count: number;
  readonly ids: readonly string[];
}

/** How many terminals' books differ from what was staged, and the first of them. */
export interface TerminalFindings {
  readonly count: number;
  /** At most `BREAK_ID_LIMIT`. */
  readonly named: readonly TerminalMismatch[];
}

/** What a pass over the books found. */
export interface Findings {
  readonly totals: Readonly<Record<string, ControlTotals>>;
  /** Staged, and not in the ledger. */
  readonly missing: Tally;
  /** Those of them that are overdue. */
  readonly overdue: Tally;
  /** In the ledger, and not staged. */
  readonly unstaged: Tally;
  /** In both, with another amount or currency. */
  readonly mismatched: Tally;
  readonly terminals: TerminalFindings;
  readonly sent: number;
}

/** What a run leaves behind. */
export interface Outcome {
  readonly day: BusinessDay;
  /** When to look again, and how often the series has waited by then; absent if the day needs no further run. */
  readonly next?: { readonly delaySeconds: number; readonly attempt: number };
}

/** A run, as it ends. */
export interface EndedRun {
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly plan: RunPlan;
  /** As it was when the run began. */
  readonly waiting?: number;
  readonly attempt: number;
}

/** Draws the conclusion of a run from what its pass found. Pure: the caller writes it down. */
export function conclude(
  day: BusinessDay,
  findings: Findings,
  run: EndedRun,
  settings: RunSettings,
): Outcome {
  const { missing, overdue, unstaged, mismatched, terminals, totals } = findings;
  const complete = missing.count === 0 && unstaged.count === 0 && mismatched.count === 0 && conserved(totals);
  // What is missing now may be less than what came late: a run may have sent it and died before it wrote that down. A
  // release or a rejection is not counted as staged: that one came shows only by what it moved.
  const stragglers = Math.max(
    missing.count,
    stagedCount(totals) - stagedCount(day.totals),
    sameTotals(totals, day.totals) ? 0 : 1,
  );
  const reopens = day.balancedAt !== undefined && stragglers > 0;
  const balances = complete && run.plan.mayBalance;
  const subject = day.businessDate;
  const breaks: Break[] = [
    ...day.breaks.filter(({ kind }) => kind === 'straggler'),
    ...(reopens ? [{ kind: 'straggler' as const, subject, count: stragglers, ids: missing.ids }] : []),
    ...(overdue.count > 0 ? [{ kind: 'unsettled' as const, subject, ...overdue }] : []),
    ...(unstaged.count > 0 ? [{ kind: 'unstaged' as const, subject, ...unstaged }] : []),
    ...(mismatched.count > 0 ? [{ kind: 'mismatched' as const, subject, ...mismatched }] : []),
    ...terminalBreaks(terminals, subject),
  ];
  const { balancedAt, ratesMissing, progress: _, ...rest } = day;
  const { overdueBefore: overdueFrom } = run.plan;
  const { sends: plan } = run.plan;
  const hasSent = findings.sent > 0 || plan.interrupted !== undefined;
  const sendsAll = plan.all && hasSent;
  const startedAt = run.startedAt.toISOString();
  const after: BusinessDay = {
    ...rest,
    revision: reopens ? day.revision + 1 : day.revision,
    ...(balances
      ? { balancedAt: run.endedAt.toISOString() }
      : balancedAt === undefined || reopens
        ? {}
        : { balancedAt }),
    ...(ratesMissing === undefined || complete ? {} : { ratesMissing }),
    ...(overdueFrom === undefined ? {} : { overdueBefore: overdueFrom }),
    ...(hasSent ? { sentFrom: startedAt } : {}),
    ...(sendsAll
      ? {
          allSentFrom: startedAt,
          resendAt: new Date(run.endedAt.getTime() + settings.settlementHorizonSeconds * 1000).toISOString(),
        }
      : {}),
    ...(missing.count === 0 ? {} : { progress: progressOf(day, missing.count, run, sendsAll) }),
    asOf: run.endedAt.toISOString(),
    totals,
    breaks,
  };
  const finished = after.balancedAt !== undefined || (after.sealedAt === undefined && missing.count === 0);
  const next = finished ? undefined : nextRun(after, complete, run, settings);
  return next === undefined ? { day: after } : { day: after, next };
}

function progressOf(
  { progress: before }: BusinessDay,
  missing: number,
  run: EndedRun,
  sendsAll: boolean,
): NonNullable<BusinessDay['progress']> {
  if (before === undefined || sendsAll) return { missing, since: run.endedAt.toISOString() };
  const waiting =
    run.waiting === undefined ? before.waiting : Math.min(run.waiting, before.waiting ?? run.waiting);
  const isLess =
    missing < before.missing || (run.waiting !== undefined && isFewer(run.waiting, before.waiting));
  return {
    missing: Math.min(missing, before.missing),
    ...(waiting === undefined ? {} : { waiting }),
    since: isLess ? run.startedAt.toISOString() : before.since,
    ...((run.waiting ?? 0) < FEW_MESSAGES
      ? { fewSince: before.fewSince ?? run.startedAt.toISOString() }
      : {}),
  };
}

/** A break for each terminal, and where there are very many, one that counts all. */
function terminalBreaks({ count, named }: TerminalFindings, businessDate: BusinessDate): Break[] {
  const kind = 'terminal-totals' as const;
  return [
    ...named.map(({ terminalId, expected, actual }) => ({ kind, subject: terminalId, expected, actual })),
    ...(count > BREAK_ID_LIMIT
      ? [{ kind, subject: businessDate, count, ids: named.map(({ terminalId }) => terminalId) }]
      : []),
  ];
}

function stagedCount(totals: Readonly<Record<string, ControlTotals>>): number {
  return Object.values(totals).reduce((sum, { staged }) => sum + staged.count, 0);
}

/**
 * A wait that doubles while things are missing, is no shorter than the run was, and ends no earlier than the seal's. A
 * series ends when its day has ended and it would wait for as long as the schedule does, which asks for a run itself.
 */
function nextRun(day: BusinessDay, complete: boolean, run: EndedRun, settings: RunSettings): Outcome['next'] {
  const sealWaitLeft =
    day.sealSeenAt === undefined
      ? 0
      : Math.ceil((Date.parse(day.sealSeenAt) - run.endedAt.getTime()) / 1000) + settings.sealWaitSeconds;
  if (complete && sealWaitLeft > 0) return { delaySeconds: limited(sealWaitLeft), attempt: run.attempt };
  const walkSeconds = (run.endedAt.getTime() - run.startedAt.getTime()) / 1000;
  const wait = Math.max(walkSeconds, (settings.settlementWindowSeconds + 2) * 2 ** Math.min(run.attempt, 10));
  const hasEnded = run.endedAt.getTime() >= cutOffOf(day.businessDate, settings.calendar).getTime();
  if (hasEnded && wait >= DELAY_LIMIT_SECONDS) return undefined;
  return { delaySeconds: limited(Math.max(wait, sealWaitLeft)), attempt: run.attempt + 1 };
}

function limited(seconds: number): number {
  return Math.min(DELAY_LIMIT_SECONDS, Math.max(1, Math.ceil(seconds)));
}
