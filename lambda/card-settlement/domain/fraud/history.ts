import type { BusinessDate } from '../business-date.ts';
import type { StagedFact } from '../settlement.ts';
import { instantOf } from '../transaction.ts';

/** Facts are ordered by instant, to the millisecond, then by id. */
export interface Moment {
  readonly occurredAt: Date;
  readonly factId: string;
}

export interface Subject extends Omit<StagedFact, 'occurredAt'>, Moment {
  /** 0 to 23, by the offset of `occurredAt`: the clock at the point of sale. */
  readonly localHour: number;
}

export interface Past extends Moment {
  readonly businessDate: BusinessDate;
}

export interface PastUse
  extends Past, Pick<StagedFact, 'merchantId' | 'kind' | 'amount' | 'currency' | 'location'> {}

export interface PastSmallSale extends Past, Pick<StagedFact, 'cardToken'> {}

export interface HistoryBounds {
  /** How many of the latest a rule may see. */
  readonly seen: number;
  /** How many are read to find those: some may belong to later dates. */
  readonly examined: number;
}

/** A person's card has some ten uses a day, a busy terminal some hundred small sales in ten minutes. */
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
 * What came strictly before, within the window, on the same business date or an earlier one. Once that date is sealed
 * nothing can be added, so the verdict depends neither on the order of deliveries nor on the batch.
 * @param past latest first, without repetition; may hold more
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
