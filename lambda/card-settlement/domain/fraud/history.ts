import type { BusinessDate } from '../business-date.ts';
import type { StagedFact } from '../settlement.ts';
import { instantOf } from '../transaction.ts';

/** Where a transaction stands in the order of all: by the instant, to the millisecond, then by id. */
export interface Moment {
  readonly occurredAt: Date;
  readonly factId: string;
}

/** The transaction that is being assessed. */
export interface Subject extends Omit<StagedFact, 'occurredAt'>, Moment {
  /** The hour that the point of sale's clock showed, 0 to 23: that of `occurredAt` as it was written, in its own offset. */
  readonly localHour: number;
}

/** A transaction of the history. */
export interface Past extends Moment {
  readonly businessDate: BusinessDate;
}

/** An earlier sale or refund of a card. */
export interface PastUse
  extends Past, Pick<StagedFact, 'merchantId' | 'kind' | 'amount' | 'currency' | 'location'> {}

/** An earlier sale of a small amount at a terminal. */
export interface PastSmallSale extends Past, Pick<StagedFact, 'cardToken'> {}

/** How much of a history one assessment considers. */
export interface HistoryBounds {
  /** Earlier transactions that a rule may see, the latest first. */
  readonly seen: number;
  /** Earlier transactions that are looked at to find those, for some may belong to later business dates. */
  readonly examined: number;
}

/**
 * A card of a person has some ten uses a day, a busy terminal some hundred small sales in ten minutes: a thousand are
 * enough to judge by, and few enough for one function to read.
 */
export const historyBounds: HistoryBounds = { seen: 1000, examined: 4000 };

export function subjectOf(fact: StagedFact): Subject {
  return { ...fact, occurredAt: instantOf(fact), localHour: Number(fact.occurredAt.slice(11, 13)) };
}

/** True if `one` comes strictly before `other`. */
export function isBefore(one: Moment, other: Moment): boolean {
  const milliseconds = millisecondsBetween(one, other);
  return milliseconds > 0 || (milliseconds === 0 && one.factId < other.factId);
}

export function millisecondsBetween(earlier: Moment, later: Moment): number {
  return later.occurredAt.getTime() - earlier.occurredAt.getTime();
}

/**
 * What an assessment sees of a history: the transactions strictly before its own, no longer ago than the window, of its
 * business date or an earlier one. Once that date is sealed nothing can be added to them, so that the verdict depends
 * neither on the order of deliveries nor on what else is assessed with it.
 *
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

/** True if no transaction before those of `past` can change what the subject sees. */
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
