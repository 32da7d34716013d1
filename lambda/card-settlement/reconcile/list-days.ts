import { dayBody } from '../api.ts';
import { addDays, type BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import type { DaysTable } from '../store/business-days.ts';

export interface DayServices {
  readonly days: Pick<DaysTable, 'read' | 'pagesOf'>;
}

/** Lambda answers 6 MB at most; a day with many breaks has up to 400 KB of ASCII. */
const PAGE_BYTES = 4 * 1024 * 1024;
const DAYS_READ = 25;

/** The newest days before a date: at most `limit`, fewer if they are long. @returns `next` if earlier days follow */
export async function listDays(
  before: BusinessDate | undefined,
  limit: number,
  services: DayServices,
): Promise<{ readonly days: readonly BusinessDay[]; readonly next?: BusinessDate }> {
  const days: BusinessDay[] = [];
  let bytes = 0;
  const range = { ...(before === undefined ? {} : { to: addDays(before, -1) }), newestFirst: true };
  for await (const page of services.days.pagesOf(range, Math.min(limit + 1, DAYS_READ))) {
    for (const day of page) {
      bytes += JSON.stringify(dayBody(day)).length;
      const last = days.at(-1);
      if (last !== undefined && (days.length === limit || bytes > PAGE_BYTES))
        return { days, next: last.businessDate };
      days.push(day);
    }
  }
  return { days };
}
