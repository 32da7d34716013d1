import * as v from 'valibot';

export interface BusinessCalendar {
  /** IANA name. */
  readonly timeZone: string;
  /** Wall-clock time `HH:MM` at which the business date ends. That instant belongs to the next date. */
  readonly cutOff: string;
}

/** `YYYY-MM-DD`, which compares as text. */
export type BusinessDate = string;

const DAY_MILLISECONDS = 86_400_000;
const MINUTE_MILLISECONDS = 60_000;

export function isCalendarDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '1970') return false;
  const midnight = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

export const CalendarDate = v.pipe(
  v.string(),
  v.check(isCalendarDate, 'must be a date, YYYY-MM-DD, that exists'),
);

export function addDays(date: BusinessDate, days: number): BusinessDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MILLISECONDS).toISOString().slice(0, 10);
}

export function businessDateOf(instant: Date, calendar: BusinessCalendar): BusinessDate {
  const wallClock = new Date(instant.getTime() + offsetMilliseconds(instant.getTime(), calendar.timeZone));
  // A wall-clock time can occur twice. Only instants tell the side of the cut-off.
  let date = wallClock.toISOString().slice(0, 10);
  while (instant.getTime() >= cutOffOf(date, calendar).getTime()) date = addDays(date, 1);
  while (instant.getTime() < cutOffOf(addDays(date, -1), calendar).getTime()) date = addDays(date, -1);
  return date;
}

/** A skipped cut-off happens as if the clock had not changed, a repeated one the first time (RFC 5545, 3.3.5). */
export function cutOffOf(date: BusinessDate, calendar: BusinessCalendar): Date {
  const wallClock = Date.parse(`${date}T${calendar.cutOff}:00Z`);
  const offsetBefore = offsetMilliseconds(wallClock - DAY_MILLISECONDS, calendar.timeZone);
  const offsetAfter = offsetMilliseconds(wallClock + DAY_MILLISECONDS, calendar.timeZone);
  // The offset before a change gives the first of two equal times, and the moment of a skipped one.
  for (const offset of [offsetBefore, offsetAfter]) {
    const candidate = wallClock - offset;
    if (offsetMilliseconds(candidate, calendar.timeZone) === offset) return new Date(candidate);
  }
  return new Date(wallClock - offsetBefore);
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function offsetMilliseconds(epochMilliseconds: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formats.set(timeZone, format);
  }
  // Such as `3/7/2026, GMT-05:00`. To read the wall clock's parts would take four times as long.
  const text = format.format(epochMilliseconds);
  const [, sign, hours = 0, minutes = 0] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MILLISECONDS;
}
