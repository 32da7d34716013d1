import { addDays, businessDateOf } from '../domain/business-date.ts';
import { isDue } from '../domain/later-walks.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import type { RunSettings } from '../domain/run-plan.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { SendReconcileMessage } from '../store/reconcile-queue.ts';
import { reportDueDays } from './report.ts';

export interface DueDaysServices {
  readonly settings: Pick<RunSettings, 'calendar'>;
  readonly now: () => Date;
  readonly days: Pick<DaysTable, 'pagesOf'>;
  readonly sendReconcileMessage: SendReconcileMessage;
}

const PAGE_ITEMS = 100;

export async function reconcileDueDays(services: DueDaysServices): Promise<void> {
  const now = services.now();
  const open = businessDateOf(now, services.settings.calendar);
  const range = { from: addDays(open, -RECONCILED_DAYS), newestFirst: true };
  let count = 0;
  for await (const page of services.days.pagesOf(range, PAGE_ITEMS)) {
    for (const day of page) {
      const { businessDate } = day;
      // The open day is settled before its cut-off only if an operator asks.
      if (businessDate >= open || !isDue(day, now)) continue;
      await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: 'schedule' });
      count += 1;
    }
  }
  reportDueDays(count);
}
