import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { businessCalendar } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { ratesTable } from '../store/fx-rates.ts';
import { reconcileQueueSender } from '../store/reconcile-queue.ts';
import type { RateServices } from './record-rates.ts';

export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now = systemClock,
): RateServices {
  return {
    calendar: businessCalendar(),
    now,
    rates: ratesTable(client),
    days: daysTable(client),
    sendReconcileMessage: reconcileQueueSender(sqs),
  };
}
