import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { businessCalendar, runSettings } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { ratesTable } from '../store/fx-rates.ts';
import { leasesTable } from '../store/leases.ts';
import { ledgerTable } from '../store/ledger.ts';
import { merchantTotalsTable } from '../store/merchant-totals.ts';
import { reconcileQueueSender } from '../store/reconcile-queue.ts';
import { settlementQueue } from '../store/settlement-queue.ts';
import { stagedTable } from '../store/staged-transactions.ts';
import { terminalTotalsTable } from '../store/terminal-totals.ts';
import { walksTable } from '../store/walks.ts';
import type { DueDaysServices } from './due-days.ts';
import type { DayServices } from './list-days.ts';
import type { RequestRunServices } from './request-run.ts';
import type { RunServices } from './run.ts';

export function buildServices(
  client = createDynamoDbClient(),
  sqs = createSqsClient(),
  now = systemClock,
): RunServices & DueDaysServices {
  return {
    settings: runSettings(),
    now,
    days: daysTable(client),
    leases: leasesTable(client),
    walks: walksTable(client),
    rates: ratesTable(client),
    books: {
      staged: stagedTable(client),
      ledger: ledgerTable(client),
      terminalTotals: terminalTotalsTable(client),
      merchantTotals: merchantTotalsTable(client),
    },
    settlementQueue: settlementQueue(sqs),
    sendReconcileMessage: reconcileQueueSender(sqs),
  };
}

export function buildRequestServices(sqs = createSqsClient()): RequestRunServices {
  return { calendar: businessCalendar(), now: systemClock, sendReconcileMessage: reconcileQueueSender(sqs) };
}

export function buildDayServices(client = createDynamoDbClient()): DayServices {
  return { days: daysTable(client) };
}
