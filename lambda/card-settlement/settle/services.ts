import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { fraudSettings } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { historiesTable } from '../store/card-histories.ts';
import { ratesTable } from '../store/fx-rates.ts';
import { ledgerTable } from '../store/ledger.ts';
import { merchantsTable } from '../store/merchants.ts';
import { stagedTable } from '../store/staged-transactions.ts';
import { createAssessor } from './assess.ts';
import { createRateCache } from './rate-cache.ts';
import type { BatchServices } from './settle-batch.ts';

export function buildServices(client = createDynamoDbClient(), now = systemClock): BatchServices {
  const fraud = fraudSettings();
  const rates = ratesTable(client);
  const ratesOf = createRateCache((businessDate) => rates.freeze(businessDate, now()));
  return {
    now,
    staged: stagedTable(client),
    ledger: ledgerTable(client),
    days: daysTable(client),
    merchants: merchantsTable(client),
    ratesOf,
    assess: createAssessor({ histories: historiesTable(client), ratesOf }, fraud),
    holdScore: fraud.holdScore,
  };
}
