import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { businessCalendar } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { ledgerTable } from '../store/ledger.ts';
import { stagedTable } from '../store/staged-transactions.ts';
import { createDayFinder } from './find-unsealed-date.ts';
import type { TransactionServices } from './get-transaction.ts';
import type { IntakeServices } from './stage-transaction.ts';

export function buildServices(client = createDynamoDbClient(), now = systemClock): IntakeServices {
  const days = daysTable(client);
  return {
    calendar: businessCalendar(),
    now,
    staged: stagedTable(client),
    days,
    unsealedDateFrom: createDayFinder(days, now),
  };
}

export function buildTransactionServices(client = createDynamoDbClient()): TransactionServices {
  return { staged: stagedTable(client), ledger: ledgerTable(client) };
}
