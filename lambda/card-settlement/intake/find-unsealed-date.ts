import { addDays, type BusinessDate } from '../domain/business-date.ts';
import { isSealed } from '../domain/business-day.ts';
import type { DaysTable } from '../store/business-days.ts';

/** The date or the earliest unsealed one after it. Undefined if that day must begin and `mayBegin` says no. */
export type FindUnsealedDate = (
  businessDate: BusinessDate,
  mayBegin: () => Promise<boolean>,
) => Promise<BusinessDate | undefined>;

/** Facts may be staged this long after the seal; `sealWaitSeconds` allows for it. */
const OPEN_DAY_CACHE_MILLISECONDS = 5000;
const CACHED_DAYS = 100;

export function createDayFinder(days: Pick<DaysTable, 'read' | 'begin'>, now: () => Date): FindUnsealedDate {
  const openUntil = new Map<BusinessDate, number>();
  const sealed = new Set<BusinessDate>();

  /** Undefined if the day has not begun and may not. */
  async function isOpen(
    businessDate: BusinessDate,
    mayBegin: () => Promise<boolean>,
  ): Promise<boolean | undefined> {
    if (sealed.has(businessDate)) return false;
    // Read before the day, so that the cache can only end too early.
    const askedAt = now().getTime();
    if ((openUntil.get(businessDate) ?? 0) > askedAt) return true;
    let day = await days.read(businessDate);
    if (day === undefined) {
      if (!(await mayBegin())) return undefined;
      await days.begin(businessDate, now());
      day = await days.read(businessDate);
    }
    if (openUntil.size + sealed.size >= CACHED_DAYS) {
      openUntil.clear();
      sealed.clear();
    }
    const open = day === undefined || !isSealed(day);
    if (open) openUntil.set(businessDate, askedAt + OPEN_DAY_CACHE_MILLISECONDS);
    else sealed.add(businessDate);
    return open;
  }

  return async (businessDate, mayBegin) => {
    for (let date = businessDate; ; date = addDays(date, 1)) {
      const open = await isOpen(date, mayBegin);
      if (open !== false) return open === undefined ? undefined : date;
    }
  };
}
