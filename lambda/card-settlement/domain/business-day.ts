import { cutOffOf, type BusinessCalendar, type BusinessDate } from './business-date.ts';
import type { TerminalLine } from './terminal-totals.ts';
import type { ControlTotals } from './totals.ts';

/** `continue`: an earlier run. `rates`: rates that a blocked day waited for. */
export const TRIGGERS = ['schedule', 'operator', 'continue', 'rates'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/**
 * `unsettled`: sent, but not in the ledger in time. `unstaged`: in the ledger, but never staged. `mismatched`: amounts
 * or currencies differ. `straggler`: staged into a balanced day. `terminal-totals`: a terminal reports something else,
 * which does not keep the day from being balanced.
 */
export const BREAK_KINDS = ['unsettled', 'unstaged', 'mismatched', 'straggler', 'terminal-totals'] as const;

export interface Break {
  readonly kind: (typeof BREAK_KINDS)[number];
  readonly subject: string;
  readonly count?: number;
  readonly ids?: readonly string[];
  readonly expected?: readonly TerminalLine[];
  readonly actual?: readonly TerminalLine[];
}

export const BREAK_ID_LIMIT = 100;

/** Instants are ISO 8601 UTC with milliseconds, and compare as text. */
interface DayRecord {
  readonly businessDate: BusinessDate;
  readonly revision: number;
  readonly firstStagedAt?: string | undefined;
  readonly sending?: Sending | undefined;
  /** A missing fact that was staged before this instant is a break. */
  readonly overdueBefore?: string | undefined;
  readonly progress?: Progress | undefined;
  readonly lastRun?: LastRun | undefined;
  readonly asOf?: string | undefined;
  readonly totals: Readonly<Record<string, ControlTotals>>;
  readonly breaks: readonly Break[];
}

export interface Sending {
  /** Start of the last run that sent something. */
  readonly sentFrom: string;
  /** Start of the last run that sent everything missing. */
  readonly allSentFrom: string;
  /** From here on, everything missing is sent again unless it waits in the settlement queue. */
  readonly resendAt: string;
}

export interface Progress {
  /** The fewest so far of facts missing and of messages waiting. */
  readonly missing: number;
  readonly waiting?: number;
  readonly since: string;
  readonly fewSince?: string;
}

export interface LastRun {
  readonly messageId: string;
  readonly handedOn?: Trigger | typeof NOTHING_ASKED | undefined;
}

export const NOTHING_ASKED = 'nothing';

export interface Seal {
  readonly at: string;
  /** When a run first saw the seal. The write may take effect long after `at`. */
  readonly seenAt?: string | undefined;
}

export interface OpenDay extends DayRecord {
  readonly status: 'open';
}

export interface SealedDay extends DayRecord {
  readonly status: 'sealed';
  readonly seal: Seal;
}

/** It may still take transactions. */
export interface BlockedDay extends DayRecord {
  readonly status: 'blocked';
  readonly ratesMissing: readonly string[];
  readonly seal?: Seal | undefined;
}

export interface BalancedDay extends DayRecord {
  readonly status: 'balanced';
  readonly seal: Seal;
  readonly balancedAt: string;
}

export type BusinessDay = OpenDay | SealedDay | BlockedDay | BalancedDay;

export function sealOf(day: BusinessDay): Seal | undefined {
  return day.status === 'open' ? undefined : day.seal;
}

export function isSealed(day: BusinessDay): boolean {
  return sealOf(day) !== undefined;
}

const LATE_DAY_HOURS = 2;

/**
 * An operator's run seals a day once the cut-off has passed. Other runs also wait until two hours after its first
 * transaction, so that a day reported late stays open long enough.
 */
export function seals(
  businessDate: BusinessDate,
  day: BusinessDay | undefined,
  trigger: Trigger,
  now: Date,
  calendar: BusinessCalendar,
): boolean {
  if (day !== undefined && isSealed(day)) return false;
  if (now.getTime() < cutOffOf(businessDate, calendar).getTime()) return false;
  if (trigger === 'operator' || day?.firstStagedAt === undefined) return true;
  return now.getTime() >= Date.parse(day.firstStagedAt) + LATE_DAY_HOURS * 3_600_000;
}

export function noteSeal(day: BusinessDay, now: Date): BusinessDay {
  if (day.status === 'open' || day.seal === undefined || day.seal.seenAt !== undefined) return day;
  return { ...day, seal: { ...day.seal, seenAt: now.toISOString() } };
}

export function unblock(day: BlockedDay): OpenDay | SealedDay {
  const { ratesMissing: _, seal, ...rest } = day;
  return seal === undefined ? { ...rest, status: 'open' } : { ...rest, status: 'sealed', seal };
}

export function balance(day: SealedDay, at: Date): BalancedDay {
  return { ...day, status: 'balanced', balancedAt: at.toISOString() };
}

export function reopen(day: BalancedDay): SealedDay {
  const { balancedAt: _, ...rest } = day;
  return { ...rest, status: 'sealed', revision: day.revision + 1 };
}
