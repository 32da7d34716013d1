import type { BusinessDate } from '../business-date.ts';
import type { StagedFact } from '../settlement.ts';
import { instantOf } from '../transaction.ts';

/** Facts are ordered by instant, to the millisecond, then by id. */
export interface Moment {
  readonly occurredAt: Date;
  readonly factId: string;
}

export interface Subject extends Omit<StagedFact, 'occurredAt'>, Moment {
  /** 0 to 23, by the clock at the point of sale: the offset of `occurredAt`. */
  readonly localHour: number;
}

export interface Past extends Moment {
  readonly businessDate: BusinessDate;
}

export interface PastUse
  extends Past, Pick<StagedFact, 'merchantId' | 'kind' | 'amount' | 'currency' | 'location'> {}

export interface PastSmallSale extends Past, Pick<StagedFact, 'cardToken'> {}

export interface HistoryBounds {
  /** The latest ones that a rule may see. */
  readonly seen: number;
  /** Looked at to find those: some may belong to later business dates. */
  readonly examined: number;
}

/**
 * A person's card has some ten uses a day, a busy terminal some hundred small sales in ten minutes. A thousand are
 * enough to judge by, and few enough to read.
 */
export const historyBounds: HistoryBounds = { seen: 1000, examined: 4000 };

export function subjectOf(fact: StagedFact): Subject {
  return { ...fact, occurredAt: instantOf(fact), localHour: Number(fact.occurredAt.slice(11, 13)) };
}

export function isBefore(one: Moment, other: Moment): boolean {
  const milliseconds = millisecondsBetween(one, other);
  return milliseconds > 0 || (milliseconds === 0 && one.factId < other.factId);
}

export function millisecondsBetween(earlier: Moment, later: Moment): number {
  return later.occurredAt.getTime() - earlier.occurredAt.getTime();
}

/**
 * An assessment sees what came strictly before, within the window, on its business date or an earlier one. Once that
 * date is sealed nothing can be added, so that the verdict depends neither on the order of deliveries nor on the rest
 * of the batch.
 * @param past latest first, without repetition; may hold more than this subject sees
 */
export function seenBy<P extends Past>(
  subject: Subject,
  past: readonly P[],
  windowMilliseconds: number,
  bounds: HistoryBounds,
): readonly P[] {
  return past
    .filter((each) => isBefore(each, subject))
    .slice(0, bounds.examined)
    .filter(
      (each) =>
        each.businessDate <= subject.businessDate && millisecondsBetween(each, subject) <= windowMilliseconds,
    )
    .slice(0, bounds.seen);
}

/** True if nothing before `past` can change what the subject sees. */
export function seesAll(
  subject: Subject,
  past: readonly Past[],
  windowMilliseconds: number,
  bounds: HistoryBounds,
): boolean {
  const earlier = past.filter((each) => isBefore(each, subject));
  const last = earlier.at(-1);
  return (
    earlier.length >= bounds.examined ||
    (last !== undefined && millisecondsBetween(last, subject) > windowMilliseconds) ||
    seenBy(subject, earlier, windowMilliseconds, bounds).length >= bounds.seen
  );
}
