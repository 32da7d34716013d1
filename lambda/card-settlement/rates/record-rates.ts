import { logger } from '../../shared/log.ts';
import { problem } from '../api.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import type { FxRates } from '../domain/fx.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { RatesTable } from '../store/fx-rates.ts';
import type { SendReconcileMessage } from '../store/reconcile-queue.ts';

export interface RateServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly rates: Pick<RatesTable, 'record'>;
  readonly days: Pick<DaysTable, 'pagesOf'>;
  readonly sendReconcileMessage: SendReconcileMessage;
}

/** Also how many days a date's rates serve later dates. */
const AHEAD_DAYS = 7;

/**
 * The first conversion of a date freezes its rates. Days that wait for them get a run.
 * @throws Problem 422 if the date is out of range, 409 if its rates are frozen
 */
export async function recordRatesOf(
  businessDate: BusinessDate,
  rates: FxRates,
  services: RateServices,
): Promise<void> {
  const today = businessDateOf(services.now(), services.calendar);
  if (businessDate > addDays(today, AHEAD_DAYS) || businessDate < addDays(today, -RECONCILED_DAYS)) {
    throw problem('date-out-of-range', {
      detail: `Rates may be recorded up to ${AHEAD_DAYS} days ahead and ${RECONCILED_DAYS} days back.`,
    });
  }
  if ((await services.rates.record(businessDate, rates)) === 'frozen') {
    throw problem('rates-frozen', {
      detail:
        'Transactions of this date were converted with them. Only currencies that are absent may be added.',
    });
  }
  logger.info('rates recorded', { businessDate, rateDate: rates.rateDate });
  const range = { from: businessDate, to: addDays(businessDate, AHEAD_DAYS), newestFirst: false };
  for await (const page of services.days.pagesOf(range, 10)) {
    for (const day of page) {
      if (day.status !== 'blocked') continue;
      await services.sendReconcileMessage({
        kind: 'business-day',
        businessDate: day.businessDate,
        trigger: 'rates',
      });
    }
  }
}
