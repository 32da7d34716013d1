import {
  addDays,
  cutOffOf,
  offsetMilliseconds,
  type BusinessCalendar,
  type BusinessDate,
} from '../../lambda/card-settlement/domain/business-date.ts';
import type { Chance } from './random.ts';

const minuteMilliseconds = 60_000;

/** When a business date happens: from the cut-off before, which is part of it, to its own. Epoch milliseconds. */
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

/** The hour, 0 to 23, that a clock shows there. */
export function localHour(instant: number, timeZone: string): number {
  return new Date(instant + offsetMilliseconds(instant, timeZone)).getUTCHours();
}

/** RFC 3339 with seconds, in the offset of the place. */
export function localText(instant: number, timeZone: string): string {
  const offset = offsetMilliseconds(instant, timeZone);
  const minutes = Math.abs(offset) / minuteMilliseconds;
  const wallClock = new Date(instant + offset).toISOString().slice(0, 19);
  return `${wallClock}${offset < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Hours of a local clock, the first included, the last not; they may span midnight. */
export type Hours = readonly [from: number, until: number];

export const daytime: Hours = [7, 21];
export const night: Hours = [22, 4];

export function isWithin(hour: number, [from, until]: Hours): boolean {
  return from <= until ? hour >= from && hour < until : hour >= from || hour < until;
}

/** More attempts than a window that holds such an instant ever needs. */
const attemptLimit = 10_000;

/** By chance a whole second of the window from which on `spanMinutes` pass within the window, beginning and ending in these hours. */
export function startWithin(
  chance: Chance,
  { from, to }: Window,
  timeZone: string,
  hours: Hours,
  spanMinutes = 0,
): number {
  const span = spanMinutes * minuteMilliseconds;
  const seconds = Math.floor((to - from - span) / 1000) - 1;
  for (let attempt = 0; attempt < attemptLimit; attempt += 1) {
    const start = from + 1000 * chance.whole(0, seconds);
    if (isWithin(localHour(start, timeZone), hours) && isWithin(localHour(start + span, timeZone), hours))
      return start;
  }
  throw new RangeError(`no ${spanMinutes} minutes of the date lie in these hours of ${timeZone}`);
}
