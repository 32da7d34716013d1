import { cutOffOf, type BusinessCalendar, type BusinessDate } from './business-date.ts';
import type { TerminalLine } from './terminal-totals.ts';
import type { ControlTotals } from './totals.ts';

/** What starts a run: the schedule, an operator, an earlier run, or rates that a blocked day waited for. */
export const TRIGGERS = ['schedule', 'operator', 'continue', 'rates'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/**
 * `unsettled`: sent, but not in the ledger when it should be. `unstaged`: in the ledger, but never staged.
 * `mismatched`: in both, with different amounts or currencies. `straggler`: staged into a day that was balanced.
 * `terminal-totals`: a terminal's report differs from what was staged. It does not keep a day from being balanced.
 */
export const BREAK_KINDS = ['unsettled', 'unstaged', 'mismatched', 'straggler', 'terminal-totals'] as const;

/** A difference between two sets of books. */
export interface Break {
  readonly kind: (typeof BREAK_KINDS)[number];
  /** A business date, or a terminal. */
  readonly subject: string;
  readonly count?: number;
  readonly ids?: readonly string[];
  /** A terminal's lines that differ, as reported and as staged. */
  readonly expected?: readonly TerminalLine[];
  readonly actual?: readonly TerminalLine[];
}

export const BREAK_ID_LIMIT = 100;

/** What every day has. Instants are ISO 8601 UTC with milliseconds, and compare as text. */
interface DayRecord {
  readonly businessDate: BusinessDate;
  readonly revision: number;
  readonly firstStagedAt?: string | undefined;
  /** Absent before the first fact is sent. */
  readonly sending?: Sending | undefined;
  /** What was staged before this instant and is missing is a break. */
  readonly overdueBefore?: string | undefined;
  /** Present while facts are missing. */
  readonly progress?: Progress | undefined;
  readonly lastRun?: LastRun | undefined;
  /** When the last walk through the books ended. */
  readonly asOf?: string | undefined;
  readonly totals: Readonly<Record<string, ControlTotals>>;
  readonly breaks: readonly Break[];
}

export interface Sending {
  /** When the last run began that sent something. */
  readonly sentFrom: string;
  /** When the last run began that sent everything missing. */
  readonly allSentFrom: string;
  /** From this instant on, everything missing is sent again unless it waits in the settlement queue. */
  readonly resendAt: string;
}

/** How far settlement has come since everything was sent. */
export interface Progress {
  /** The fewest facts missing, and the fewest messages waiting. */
  readonly missing: number;
  readonly waiting?: number;
  /** When either last fell. */
  readonly since: string;
  /** Since when few messages have been waiting. */
  readonly fewSince?: string;
}

export interface LastRun {
  readonly messageId: string;
  readonly handedOn?: Trigger | typeof NOTHING_ASKED | undefined;
}

export const NOTHING_ASKED = 'nothing';

export interface Seal {
  readonly at: string;
  /** When a run first knew of the seal. The write may take effect long after `at`. */
  readonly seenAt?: string | undefined;
}

/** Takes transactions. */
export interface OpenDay extends DayRecord {
  readonly status: 'open';
}

/** Takes nothing more, and waits until its books agree. */
export interface SealedDay extends DayRecord {
  readonly status: 'sealed';
  readonly seal: Seal;
}

/** Waits for exchange rates; it may still take transactions. */
export interface BlockedDay extends DayRecord {
  readonly status: 'blocked';
  readonly ratesMissing: readonly string[];
  readonly seal?: Seal | undefined;
}

/** Its books agree: the settlement is final. */
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

/** The schedule keeps a day open this long after its first transaction, even past the cut-off. */
const LATE_DAY_HOURS = 2;

/**
 * An operator's run seals a day once the cut-off has passed. Other runs also wait until two hours after the day's first
 * transaction, so that a day that is reported late stays open long enough.
 * @param day undefined if nothing of the date is recorded yet
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

/** The books agree, although rates had been missing. */
export function unblock(day: BlockedDay): OpenDay | SealedDay {
  const { ratesMissing: _, seal, ...rest } = day;
  return seal === undefined ? { ...rest, status: 'open' } : { ...rest, status: 'sealed', seal };
}

export function balance(day: SealedDay, at: Date): BalancedDay {
  return { ...day, status: 'balanced', balancedAt: at.toISOString() };
}

/** Takes in stragglers: the day has to be balanced again, as its next revision. */
export function reopen(day: BalancedDay): SealedDay {
  const { balancedAt: _, ...rest } = day;
  return { ...rest, status: 'sealed', revision: day.revision + 1 };
}
