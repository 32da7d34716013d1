import { addDays, type BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { isDue } from '../domain/later-walks.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import type { SendReconcileMessage } from '../store/reconcile-queue.ts';
import { reportDueDays } from './report.ts';

/** What finding the days that are due needs of the world. */
export interface DueDaysServices {
  readonly now: () => Date;
  readonly openDate: () => BusinessDate;
  /** All days that exist from a date on, page by page. */
  readonly daysFrom: (from: BusinessDate) => AsyncIterable<readonly BusinessDay[]>;
  readonly sendReconcileMessage: SendReconcileMessage;
}

/** Finds the days that are due, and asks for a run of each. */
export async function reconcileDueDays(services: DueDaysServices): Promise<void> {
  const open = services.openDate();
  const now = services.now();
  let count = 0;
  for await (const page of services.daysFrom(addDays(open, -RECONCILED_DAYS))) {
    for (const day of page) {
      const { businessDate } = day;
      // The schedule leaves the open day alone: only an operator's request settles before the cut-off.
      if (businessDate >= open || !isDue(day, now)) continue;
      await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: 'schedule' });
      count += 1;
    }
  }
  reportDueDays(count);
}
