import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { daysTable, type DaysTable } from '../store/business-days.ts';
import { ledgerTable } from '../store/ledger.ts';
import { merchantTotalsTable } from '../store/merchant-totals.ts';
import type { EntryServices } from './entries.ts';
import type { TotalsServices } from './totals.ts';

export type SettlementViewServices = TotalsServices &
  EntryServices & { readonly now: () => Date; readonly days: Pick<DaysTable, 'read'> };

export function buildServices(client = createDynamoDbClient()): SettlementViewServices {
  return {
    now: systemClock,
    days: daysTable(client),
    merchantTotals: merchantTotalsTable(client),
    ledger: ledgerTable(client),
  };
}
