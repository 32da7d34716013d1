import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { Problem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import { FxRatesBody, type FxRates } from '../domain/fx.ts';
import { RECONCILED_DAYS } from '../domain/retention.ts';
import {
  createSqsClient,
  reconcileQueueSender,
  type SendReconcileMessage,
} from '../store/reconcile-queue.ts';
import { businessDateIn, knownQuery, parseBody } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { daysOf } from '../store/business-days.ts';
import { recordRates } from '../store/fx-rates.ts';

interface Services {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly record: (businessDate: BusinessDate, rates: FxRates) => Promise<'recorded' | 'frozen'>;
  /** Dates in a range whose days wait for rates. */
  readonly blockedDates: (from: BusinessDate, to: BusinessDate) => Promise<BusinessDate[]>;
  readonly sendReconcileMessage: SendReconcileMessage;
}

/** Rates may be recorded ahead by a week, and back as far as days are reconciled. */
const AHEAD_DAYS = 7;

/** `PUT /fx-rates/{businessDate}`: records the rates of a date until its first conversion freezes them. */
export async function putFxRates(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  knownQuery(request, []);
  const rates = parseBody(FxRatesBody, request);
  const today = businessDateOf(services.now(), services.calendar);
  if (businessDate > addDays(today, AHEAD_DAYS) || businessDate < addDays(today, -RECONCILED_DAYS)) {
    throw new Problem(422, 'date-out-of-range', 'The business date is out of range', {
      detail: `Rates may be recorded up to ${AHEAD_DAYS} days ahead and ${RECONCILED_DAYS} days back.`,
    });
  }
  if ((await services.record(businessDate, rates)) === 'frozen') {
    throw new Problem(409, 'rates-frozen', 'The rates of this date are frozen', {
      detail:
        'Transactions of this date were converted with them. Only currencies that are absent may be added.',
    });
  }
  logger.info('rates recorded', { businessDate, rateDate: rates.rateDate });
  // A date without rates of its own takes those of up to seven days before.
  for (const date of await services.blockedDates(businessDate, addDays(businessDate, AHEAD_DAYS))) {
    await services.sendReconcileMessage({ kind: 'business-day', businessDate: date, trigger: 'rates' });
  }
  return { status: 204 };
}

/** The function's ports, at the tables that its environment names. Who simulates gives clients and a clock. */
export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now: () => Date = systemClock,
): Services {
  const table = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now,
    record: (businessDate, rates) => recordRates(client, table, businessDate, rates),
    blockedDates: async (from, to) => {
      const dates: BusinessDate[] = [];
      for await (const page of daysOf(client, table, { from, to, newestFirst: false }, 10)) {
        for (const day of page) if (day.ratesMissing !== undefined) dates.push(day.businessDate);
      }
      return dates;
    },
    sendReconcileMessage: reconcileQueueSender(sqs, environmentVariable(environmentNames.reconcileQueueUrl)),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => putFxRates(request, (services ??= buildServices())));
