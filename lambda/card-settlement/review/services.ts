import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { createDayFinder } from '../intake/find-unsealed-date.ts';
import { businessCalendar } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { ledgerTable } from '../store/ledger.ts';
import { stagedTable } from '../store/staged-transactions.ts';
import type { HeldServices } from './list-held.ts';
import type { ReviewServices } from './review-transaction.ts';

export function buildServices(client = createDynamoDbClient(), now = systemClock): ReviewServices {
  return {
    calendar: businessCalendar(),
    now,
    staged: stagedTable(client),
    ledger: ledgerTable(client),
    unsealedDateFrom: createDayFinder(daysTable(client), now),
  };
}

export function buildListServices(client = createDynamoDbClient()): HeldServices {
  return { staged: stagedTable(client), ledger: ledgerTable(client) };
}
