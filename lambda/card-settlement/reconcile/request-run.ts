import { logger } from '../../shared/log.ts';
import { problem } from '../api.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import type { SendReconcileMessage } from '../store/reconcile-queue.ts';

export interface RequestRunServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly sendReconcileMessage: SendReconcileMessage;
}

/** @throws Problem 422 if the date is out of range */
export async function requestRun(businessDate: BusinessDate, services: RequestRunServices): Promise<void> {
  const today = businessDateOf(services.now(), services.calendar);
  if (businessDate > today || businessDate < addDays(today, -RECONCILED_DAYS)) {
    throw problem('date-out-of-range', {
      detail: `The open business date is ${today}; a day can be reconciled until ${RECONCILED_DAYS} days later.`,
    });
  }
  await services.sendReconcileMessage({ kind: 'business-day', businessDate, trigger: 'operator' });
  logger.info('reconcile requested', { businessDate });
}
