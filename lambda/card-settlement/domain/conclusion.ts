import { cutOffOf } from './business-date.ts';
import {
  balance,
  BREAK_ID_LIMIT,
  isSealed,
  reopen,
  sealOf,
  unblock,
  type Break,
  type BusinessDay,
  type Progress,
  type Sending,
} from './business-day.ts';
import { FEW_MESSAGES, isFewer, type RunPlan, type RunSettings } from './run-plan.ts';
import { conserved, sameTotals, type ControlTotals } from './totals.ts';
import type { Findings, TerminalFindings } from './walk-state.ts';

export interface EndedRun {
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly plan: RunPlan;
  readonly waiting?: number;
  readonly attempt: number;
}

export interface Outcome {
  readonly day: BusinessDay;
  readonly next?: { readonly delaySeconds: number; readonly attempt: number };
}

export function conclude(
  day: BusinessDay,
  findings: Findings,
  run: EndedRun,
  settings: RunSettings,
): Outcome {
  const { missing, unstaged, mismatched, totals } = findings;
  const isComplete =
    missing.count === 0 && unstaged.count === 0 && mismatched.count === 0 && conserved(totals);
  const stragglers = day.status === 'balanced' ? stragglersIn(day, findings) : 0;
  const after: BusinessDay = {
    ...transition(day, isComplete, stragglers, run),
    sending: sendingAfter(day, findings, run, settings),
    overdueBefore: run.plan.overdueBefore ?? day.overdueBefore,
    progress: missing.count === 0 ? undefined : progressAfter(day, findings, run),
    asOf: run.endedAt.toISOString(),
    totals,
    breaks: breaksAfter(day, stragglers, findings),
  };
  const isFinished = after.status === 'balanced' || (!isSealed(after) && missing.count === 0);
  const next = isFinished ? undefined : nextRun(after, isComplete, run, settings);
  return next === undefined ? { day: after } : { day: after, next };
}

function transition(
  day: BusinessDay,
  isComplete: boolean,
  stragglers: number,
  { plan, endedAt }: EndedRun,
): BusinessDay {
  if (day.status === 'balanced') return stragglers > 0 ? reopen(day) : day;
  const unblocked = day.status === 'blocked' && isComplete ? unblock(day) : day;
  const balances = isComplete && plan.mayBalance && unblocked.status === 'sealed';
  return balances ? balance(unblocked, endedAt) : unblocked;
}

/**
 * How many facts came after the day was balanced. A run that died may have sent some, so fewer are missing now. A
 * decision does not count as staged: it shows only in the totals that it moved.
 */
function stragglersIn(day: BusinessDay, { missing, totals }: Findings): number {
  return Math.max(
    missing.count,
    stagedCount(totals) - stagedCount(day.totals),
    sameTotals(totals, day.totals) ? 0 : 1,
  );
}

function stagedCount(totals: Readonly<Record<string, ControlTotals>>): number {
  return Object.values(totals).reduce((sum, { staged }) => sum + staged.count, 0);
}

function hasSent({ sent }: Findings, { plan }: EndedRun): boolean {
  return sent > 0 || plan.sends.interrupted !== undefined;
}

function sendingAfter(
  { sending }: BusinessDay,
  findings: Findings,
  run: EndedRun,
  settings: RunSettings,
): Sending | undefined {
  if (!hasSent(findings, run)) return sending;
  const sentFrom = run.startedAt.toISOString();
  if (sending !== undefined && !run.plan.sends.all) return { ...sending, sentFrom };
  const resendAt = new Date(run.endedAt.getTime() + settings.settlementHorizonSeconds * 1000).toISOString();
  return { sentFrom, allSentFrom: sentFrom, resendAt };
}

function progressAfter({ progress: before }: BusinessDay, findings: Findings, run: EndedRun): Progress {
  const missing = findings.missing.count;
  const sendsAll = run.plan.sends.all && hasSent(findings, run);
  if (before === undefined || sendsAll) return { missing, since: run.endedAt.toISOString() };
  const startedAt = run.startedAt.toISOString();
  const waiting =
    run.waiting === undefined ? before.waiting : Math.min(run.waiting, before.waiting ?? run.waiting);
  const isLess =
    missing < before.missing || (run.waiting !== undefined && isFewer(run.waiting, before.waiting));
  return {
    missing: Math.min(missing, before.missing),
    ...(waiting === undefined ? {} : { waiting }),
    since: isLess ? startedAt : before.since,
    ...((run.waiting ?? 0) < FEW_MESSAGES ? { fewSince: before.fewSince ?? startedAt } : {}),
  };
}

function breaksAfter(day: BusinessDay, stragglers: number, findings: Findings): Break[] {
  const { missing, overdue, unstaged, mismatched, terminals } = findings;
  const subject = day.businessDate;
  return [
    ...day.breaks.filter(({ kind }) => kind === 'straggler'),
    ...(stragglers > 0 ? [{ kind: 'straggler' as const, subject, count: stragglers, ids: missing.ids }] : []),
    ...(overdue.count > 0 ? [{ kind: 'unsettled' as const, subject, ...overdue }] : []),
    ...(unstaged.count > 0 ? [{ kind: 'unstaged' as const, subject, ...unstaged }] : []),
    ...(mismatched.count > 0 ? [{ kind: 'mismatched' as const, subject, ...mismatched }] : []),
    ...terminalBreaks(terminals, subject),
  ];
}

function terminalBreaks({ count, named }: TerminalFindings, businessDate: string): Break[] {
  const kind = 'terminal-totals' as const;
  return [
    ...named.map(({ terminalId, expected, actual }) => ({ kind, subject: terminalId, expected, actual })),
    ...(count > BREAK_ID_LIMIT
      ? [{ kind, subject: businessDate, count, ids: named.map(({ terminalId }) => terminalId) }]
      : []),
  ];
}

/** The schedule looks at the days this often. */
const DELAY_LIMIT_SECONDS = 900;

/**
 * The wait doubles while facts are missing, lasts at least as long as the run did, and does not end before the seal's
 * wait. A series stops once its day has ended and the schedule would come as soon.
 */
function nextRun(
  day: BusinessDay,
  isComplete: boolean,
  run: EndedRun,
  settings: RunSettings,
): Outcome['next'] {
  const seenAt = sealOf(day)?.seenAt;
  const sealWaitLeft =
    seenAt === undefined
      ? 0
      : Math.ceil((Date.parse(seenAt) - run.endedAt.getTime()) / 1000) + settings.sealWaitSeconds;
  if (isComplete && sealWaitLeft > 0) return { delaySeconds: limited(sealWaitLeft), attempt: run.attempt };
  const walkSeconds = (run.endedAt.getTime() - run.startedAt.getTime()) / 1000;
  const wait = Math.max(walkSeconds, (settings.settlementWindowSeconds + 2) * 2 ** Math.min(run.attempt, 10));
  const hasEnded = run.endedAt.getTime() >= cutOffOf(day.businessDate, settings.calendar).getTime();
  if (hasEnded && wait >= DELAY_LIMIT_SECONDS) return undefined;
  return { delaySeconds: limited(Math.max(wait, sealWaitLeft)), attempt: run.attempt + 1 };
}

function limited(seconds: number): number {
  return Math.min(DELAY_LIMIT_SECONDS, Math.max(1, Math.ceil(seconds)));
}
