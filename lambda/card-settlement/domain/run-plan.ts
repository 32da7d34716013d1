import type { BusinessCalendar } from './business-date.ts';
import { sealOf, type BusinessDay, type Trigger } from './business-day.ts';
import type { StagedSummary } from './totals.ts';

export interface RunSettings {
  readonly calendar: BusinessCalendar;
  /** From the seal to the first run that may balance the day. */
  readonly sealWaitSeconds: number;
  readonly settlementWindowSeconds: number;
  /** By then a message is settled or in the dead-letter queue. */
  readonly settlementHorizonSeconds: number;
}

export interface SendPlan {
  /** Everything missing is sent, by this run and the one that it completes. */
  readonly all: boolean;
  /** What was staged before this instant has been sent. */
  readonly sentBefore?: string;
  /** What an interrupted run has also sent: facts up to this key, staged before its instant. */
  readonly interrupted?: { readonly through: string; readonly sentBefore: string };
}

export function sends(plan: SendPlan, { stagedAt }: Pick<StagedSummary, 'stagedAt'>, key: string): boolean {
  const { interrupted } = plan;
  if (interrupted !== undefined && key <= interrupted.through && stagedAt < interrupted.sentBefore)
    return false;
  return plan.sentBefore === undefined || stagedAt >= plan.sentBefore;
}

/** What a run had sent when it ended early: its plan up to a key. */
export interface InterruptedSends {
  readonly startedAt: string;
  readonly all: boolean;
  readonly through: string;
}

export interface RunStart {
  readonly trigger: Trigger;
  readonly startedAt: Date;
  readonly ratesFound: boolean;
  /** Approximate messages in the settlement queue. */
  readonly waiting?: number;
  readonly interrupted?: InterruptedSends;
}

/** So few are settled long before the horizon, and cost next to nothing when sent in vain. */
export const FEW_MESSAGES = 1000;
/** The queue's count is approximate, so smaller changes mean nothing. */
const LEAST_CHANGE = 0.01;
/** By then the settlement queue has dropped its messages. */
const RETENTION_SECONDS = 4 * 86_400;
/** Intake takes up to 10 s, and what it stages shows a little later: a run may not see the facts of its last 15 s. */
const UNSEEN_SECONDS = 15;

/** `drained`: messages are lost or in the dead-letter queue. `stuck`: nothing left the queue for a whole horizon. */
type QueueState = 'busy' | 'drained' | 'stuck';

function queueState({ sending, progress }: BusinessDay, start: RunStart, settings: RunSettings): QueueState {
  const { startedAt, waiting } = start;
  if (sending === undefined || startedAt.toISOString() < sending.resendAt) return 'busy';
  const isExpired = startedAt.getTime() >= Date.parse(sending.resendAt) + RETENTION_SECONDS * 1000;
  if (waiting === undefined || waiting === 0 || isExpired) return 'drained';
  const isHorizonPast = (since: string | undefined): boolean =>
    since !== undefined &&
    startedAt.getTime() >= Date.parse(since) + settings.settlementHorizonSeconds * 1000;
  if (waiting < FEW_MESSAGES && isHorizonPast(progress?.fewSince)) return 'drained';
  return isHorizonPast(progress?.since) && !isFewer(waiting, progress?.waiting) ? 'stuck' : 'busy';
}

export function isFewer(waiting: number, before: number | undefined): boolean {
  return before !== undefined && waiting < before * (1 - LEAST_CHANGE);
}

/**
 * Everything missing is sent for an operator, when the rates that a day waited for are there, and when the settlement
 * queue is drained although all messages should be settled. A few facts are also sent again when the queue is stuck:
 * they may be lost while others fill it. Otherwise a run sends only what no earlier run can have seen. Sending twice is
 * harmless: the ledger keeps the first entry.
 */
export function planSends(day: BusinessDay, start: RunStart, settings: RunSettings): SendPlan {
  const { sending, progress } = day;
  const { trigger, interrupted } = start;
  const state = queueState(day, start, settings);
  const isLost = state === 'drained' || (state === 'stuck' && (progress?.missing ?? 0) < FEW_MESSAGES);
  const all =
    trigger === 'operator' ||
    trigger === 'rates' ||
    start.ratesFound ||
    sending === undefined ||
    (day.status !== 'blocked' && isLost);
  // A run that concluded has recorded what it sent.
  const isOpen = interrupted !== undefined && interrupted.startedAt > (day.asOf ?? '');
  return {
    all,
    ...(all ? {} : { sentBefore: unseenFrom(sending.sentFrom) }),
    ...(isOpen && (interrupted.all || !all)
      ? { interrupted: { through: interrupted.through, sentBefore: unseenFrom(interrupted.startedAt) } }
      : {}),
  };
}

function unseenFrom(startedAt: string): string {
  return new Date(Date.parse(startedAt) - UNSEEN_SECONDS * 1000).toISOString();
}

export function mayBalance(day: BusinessDay, startedAt: Date, settings: RunSettings): boolean {
  const seenAt = sealOf(day)?.seenAt;
  return (
    day.status !== 'balanced' &&
    seenAt !== undefined &&
    startedAt.getTime() >= Date.parse(seenAt) + settings.sealWaitSeconds * 1000
  );
}

/** Missing facts from before this instant were sent, and wait neither in a busy queue nor for rates. */
export function overdueBefore(day: BusinessDay, start: RunStart, settings: RunSettings): string | undefined {
  const isDue = day.status !== 'blocked' && queueState(day, start, settings) !== 'busy';
  return isDue ? (day.sending?.allSentFrom ?? day.overdueBefore) : day.overdueBefore;
}

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
