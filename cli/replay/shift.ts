import { createHash } from 'node:crypto';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
} from '../../lambda/card-settlement/domain/business-date.ts';

const dayMilliseconds = 86_400_000;

/**
 * By how many whole days (of 24 h) to move all instants of a file so that its last business date is the newest one past
 * its cut-off.
 *
 * Where the clock changes in between, a file's split into business dates may change too; its last business date is
 * right all the same, because it is the one of its last instant.
 */
export function daysToShift(last: Date, now: Date, calendar: BusinessCalendar): number {
  const target = addDays(businessDateOf(now, calendar), -1);
  const lastDate = businessDateOf(last, calendar);
  const days = (Date.parse(target) - Date.parse(lastDate)) / dayMilliseconds;
  const shifted = (by: number): string =>
    businessDateOf(new Date(last.getTime() + by * dayMilliseconds), calendar);
  // A change of the clock can put the instant on the other side of a cut-off. Past the target would be the open day.
  if (shifted(days) > target) return days - 1;
  return shifted(days) < target && shifted(days + 1) <= target ? days + 1 : days;
}

/**
 * The idempotency key of a row: the same row of a file that was moved by the same number of days is the same
 * transaction, however often it is sent.
 *
 * It is an identifier of at most 64 characters, as the API asks for, for any `transactionId` and also for days < 0.
 */
export function idempotencyKey(transactionId: string, days: number): string {
  const key = `${transactionId}-${days}`;
  if (/^[A-Za-z0-9_-]{1,64}$/.test(key)) return key;
  return createHash('sha256').update(key).digest('hex');
}
