import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { readDay } from '../store/business-days.ts';
import { entriesOfDate, ledgerOfDate } from '../store/ledger.ts';
import { merchantTotalsOf } from '../store/merchant-totals.ts';
import type { EntryServices } from './entries.ts';
import type { TotalsServices } from './totals.ts';

export interface SettlementViewServices extends TotalsServices, EntryServices {
  readonly now: () => Date;
  readonly readDay: (businessDate: BusinessDate) => Promise<BusinessDay | undefined>;
}

/** The ports, on the tables that the environment names. */
export function buildServices(): SettlementViewServices {
  const client = createDynamoDbClient();
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    now: systemClock,
    readDay: (businessDate) => readDay(client, daysTable, businessDate),
    finalTotals: (day, after, pageItems) => merchantTotalsOf(client, daysTable, day, after, pageItems),
    ledger: (businessDate, range) => ledgerOfDate(client, ledgerTable, businessDate, range),
    entries: (businessDate, range, limit) => entriesOfDate(client, ledgerTable, businessDate, range, limit),
  };
}
