import {
  addDays,
  cutOffOf,
  offsetMilliseconds,
  type BusinessCalendar,
  type BusinessDate,
} from '../../lambda/card-settlement/domain/business-date.ts';
import { minute } from './event.ts';
import type { Chance } from './random.ts';

/** One business date, in epoch milliseconds; `to` is excluded. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export function windowOf(date: BusinessDate, calendar: BusinessCalendar): Window {
  return {
    from: cutOffOf(addDays(date, -1), calendar).getTime(),
    to: cutOffOf(date, calendar).getTime(),
  };
}

export function localHour(instant: number, timeZone: string): number {
  return new Date(instant + offsetMilliseconds(instant, timeZone)).getUTCHours();
}

export function localText(instant: number, timeZone: string): string {
  const offset = offsetMilliseconds(instant, timeZone);
  const minutes = Math.abs(offset) / minute;
  const wallClock = new Date(instant + offset).toISOString().slice(0, 19);
  const [hour, minuteOfHour] = [Math.floor(minutes / 60), minutes % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${wallClock}${offset < 0 ? '-' : '+'}${hour}:${minuteOfHour}`;
}

/** Hours of a local clock, the last excluded; they may span midnight. */
export type Hours = readonly [from: number, until: number];

export const daytime: Hours = [7, 21];
export const night: Hours = [22, 4];

export function isWithin(hour: number, [from, until]: Hours): boolean {
  return from <= until ? hour >= from && hour < until : hour >= from || hour < until;
}

const ATTEMPT_LIMIT = 10_000;

/** A random start; from it `spanMinutes` lie in the window and begin and end in these hours. */
export function startWithin(
  chance: Chance,
  { from, to }: Window,
  timeZone: string,
  hours: Hours,
  spanMinutes = 0,
): number {
  const span = spanMinutes * minute;
  const seconds = Math.floor((to - from - span) / 1000) - 1;
  for (let attempt = 0; attempt < ATTEMPT_LIMIT; attempt += 1) {
    const start = from + 1000 * chance.whole(0, seconds);
    if (isWithin(localHour(start, timeZone), hours) && isWithin(localHour(start + span, timeZone), hours))
      return start;
  }
  throw new RangeError(`no ${spanMinutes} minutes of the date lie in these hours of ${timeZone}`);
}
