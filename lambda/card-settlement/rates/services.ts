import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { businessCalendar } from '../settings.ts';
import { daysOf } from '../store/business-days.ts';
import { recordRates } from '../store/fx-rates.ts';
import { createSqsClient, reconcileQueueSender } from '../store/reconcile-queue.ts';
import type { RateServices } from './record-rates.ts';

/** The ports, on what the environment names. Simulations pass their own clients and clock. */
export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now: () => Date = systemClock,
): RateServices {
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
