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
   * being balanced: whose books are wrong is for people to find out.
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
  /** From this instant on, what is missing is sent again. */
  readonly resendAt?: string;
  /** What was staged before this instant and is missing is a break. */
  readonly overdueBefore?: string;
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

/** Longest delay of an SQS message. */
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
  // A day whose record an operator's request made, before it had a transaction, is sealed at its cut-off.
  return (
    day.firstStagedAt === undefined ||
    now.getTime() >= Date.parse(day.firstStagedAt) + LATE_DAY_HOURS * 3_600_000
  );
}

/** Which of the missing transactions a run sends. */
export interface SendPlan {
  /** True if the run sends all that is missing; false if only what no run has sent before. */
  readonly all: boolean;
  readonly includes: (staged: Pick<StagedSummary, 'stagedAt'>) => boolean;
}

/**
 * An operator's request sends all that is missing; so does a run once every message sent before is settled or in the
 * dead-letter queue. In between, a run sends what no earlier run can have seen. Sending twice is harmless: the ledger
 * takes the first.
 */
export function planSends(day: BusinessDay, trigger: Trigger, startedAt: Date): SendPlan {
  const { sentFrom, resendAt } = day;
  if (
    trigger === 'operator' ||
    trigger === 'rates' ||
    sentFrom === undefined ||
    resendAt === undefined ||
    startedAt.toISOString() >= resendAt
  ) {
    return { all: true, includes: () => true };
  }
  const unseenFrom = new Date(Date.parse(sentFrom) - UNSEEN_SECONDS * 1000).toISOString();
  return { all: false, includes: ({ stagedAt }) => stagedAt >= unseenFrom };
}

/** True if a run that finds nothing missing may balance the day. */
export function mayBalance(day: BusinessDay, startedAt: Date, settings: RunSettings): boolean {
  return (
    day.balancedAt === undefined &&
    day.sealSeenAt !== undefined &&
    startedAt.getTime() >= Date.parse(day.sealSeenAt) + settings.sealWaitSeconds * 1000
  );
}

/** From when on a missing transaction is overdue, as seen by a run that began at `startedAt`. */
export function overdueBefore(day: BusinessDay, startedAt: Date): string | undefined {
  const { allSentFrom, resendAt } = day;
  return allSentFrom !== undefined && resendAt !== undefined && startedAt.toISOString() >= resendAt
    ? allSentFrom
    : day.overdueBefore;
}

/** Counts transactions, and keeps the first ids. */
export interface Tally {
  readonly count: number;
  readonly ids: readonly string[];
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
  readonly terminals: readonly TerminalMismatch[];
  readonly sent: number;
}

/** What a run leaves behind. */
export interface Outcome {
  readonly day: BusinessDay;
  /** When to look again, and how often the series has waited by then; absent if the day needs no further run. */
  readonly next?: { readonly delaySeconds: number; readonly attempt: number };
}

/** Draws the conclusion of a run from what its pass found. Pure: the caller writes it down. */
export function conclude(
  day: BusinessDay,
  findings: Findings,
  run: {
    readonly startedAt: Date;
    readonly endedAt: Date;
    readonly plan: SendPlan;
    readonly attempt: number;
  },
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
  const balances = complete && mayBalance(day, run.startedAt, settings);
  const subject = day.businessDate;
  const breaks: Break[] = [
    ...day.breaks.filter(({ kind }) => kind === 'straggler'),
    ...(reopens ? [{ kind: 'straggler' as const, subject, count: stragglers, ids: missing.ids }] : []),
    ...(overdue.count > 0 ? [{ kind: 'unsettled' as const, subject, ...overdue }] : []),
    ...(unstaged.count > 0 ? [{ kind: 'unstaged' as const, subject, ...unstaged }] : []),
    ...(mismatched.count > 0 ? [{ kind: 'mismatched' as const, subject, ...mismatched }] : []),
    ...terminalBreaks(terminals, subject),
  ];
  const { balancedAt, ratesMissing, ...rest } = day;
  const overdueFrom = overdueBefore(day, run.startedAt);
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
    ...(findings.sent === 0
      ? {}
      : {
          sentFrom: startedAt,
          ...(run.plan.all
            ? {
                allSentFrom: startedAt,
                resendAt: new Date(
                  run.endedAt.getTime() + settings.settlementHorizonSeconds * 1000,
                ).toISOString(),
              }
            : {}),
        }),
    asOf: run.endedAt.toISOString(),
    totals,
    breaks,
  };
  const finished = after.balancedAt !== undefined || (after.sealedAt === undefined && missing.count === 0);
  return finished ? { day: after } : { day: after, next: nextRun(after, complete, run, settings) };
}

/** A break for each terminal, and where there are very many, one that counts all. */
function terminalBreaks(mismatches: readonly TerminalMismatch[], businessDate: BusinessDate): Break[] {
  const kind = 'terminal-totals' as const;
  const shown = mismatches.slice(0, BREAK_ID_LIMIT);
  return [
    ...shown.map(({ terminalId, expected, actual }) => ({ kind, subject: terminalId, expected, actual })),
    ...(mismatches.length > shown.length
      ? [
          {
            kind,
            subject: businessDate,
            count: mismatches.length,
            ids: shown.map(({ terminalId }) => terminalId),
          },
        ]
      : []),
  ];
}

function stagedCount(totals: Readonly<Record<string, ControlTotals>>): number {
  return Object.values(totals).reduce((sum, { staged }) => sum + staged.count, 0);
}

/** A wait that doubles while things are missing, and ends no earlier than the seal's. */
function nextRun(
  day: BusinessDay,
  complete: boolean,
  run: { readonly endedAt: Date; readonly attempt: number },
  settings: RunSettings,
): NonNullable<Outcome['next']> {
  const sealWaitLeft =
    day.sealSeenAt === undefined
      ? 0
      : Math.ceil((Date.parse(day.sealSeenAt) - run.endedAt.getTime()) / 1000) + settings.sealWaitSeconds;
  if (complete && sealWaitLeft > 0) return { delaySeconds: limited(sealWaitLeft), attempt: run.attempt };
  const wait = (settings.settlementWindowSeconds + 2) * 2 ** Math.min(run.attempt, 10);
  return { delaySeconds: limited(Math.max(wait, sealWaitLeft)), attempt: run.attempt + 1 };
}

function limited(seconds: number): number {
  return Math.min(DELAY_LIMIT_SECONDS, Math.max(1, Math.ceil(seconds)));
}
