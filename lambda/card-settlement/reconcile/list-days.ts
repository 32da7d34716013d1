import { dayBody } from '../api.ts';
import { addDays, type BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import type { DaysTable } from '../store/business-days.ts';

/** What showing days needs of the world. */
export interface DayServices {
  readonly days: Pick<DaysTable, 'read' | 'pagesOf'>;
}

/** Lambda answers 6 MB at most; a day whose books differ at many terminals has up to 400 KB. All of it is ASCII. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Days that are read together, so that few are read in vain. */
const DAYS_READ = 25;

/**
 * Lists the newest days before a date, at most `limit`, and fewer where they are long.
 *
 * @returns with `next` earlier days follow that date
 */
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
