import { isCalendarDate } from './business-date.ts';

const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Reads an RFC 3339 date-time. Undefined if it does not exist, and for leap seconds, which POSIX clocks lack. */
export function parseInstant(text: string): Date | undefined {
  const match = RFC_3339.exec(text);
  if (match === null || !isCalendarDate(match[1] ?? '')) return undefined;
  return new Date(text.toUpperCase());
}
