import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { fraudSettings } from '../settings.ts';
import { markRatesMissing } from '../store/business-days.ts';
import { cardHistory } from '../store/card-history.ts';
import { freezeRates } from '../store/fx-rates.ts';
import { getEntry, putEntry } from '../store/ledger.ts';
import { profileOn } from '../store/merchants.ts';
import { smallSalesAt } from '../store/small-sales.ts';
import { getStagedFacts } from '../store/staged-transactions.ts';
import { createAssessor } from './assess.ts';
import { createRateCache } from './rate-cache.ts';
import type { BatchServices } from './settle-batch.ts';

/** Settlement's ports, on the tables that the environment names. Simulations pass their own client and clock. */
export function buildServices(client = createDynamoDbClient(), now: () => Date = systemClock): BatchServices {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const merchantsTable = environmentVariable(environmentNames.merchantsTable);
  const fraud = fraudSettings();
  const ratesOf = createRateCache((businessDate) => freezeRates(client, daysTable, businessDate, now()));
  return {
    getFacts: (factIds) => getStagedFacts(client, stagedTable, factIds),
    profileOn: (merchantId, businessDate) => profileOn(client, merchantsTable, merchantId, businessDate),
    ratesOf,
    assess: createAssessor(
      {
        historyOf: (cardToken, range) => cardHistory(client, stagedTable, cardToken, range),
        smallAmountsAt: (terminalKey, range) => smallSalesAt(client, stagedTable, terminalKey, range),
        ratesOf,
      },
      fraud,
    ),
    holdScore: fraud.holdScore,
    markRatesMissing: (businessDate, currencies) =>
      markRatesMissing(client, daysTable, businessDate, currencies),
    getEntry: (key) => getEntry(client, ledgerTable, key),
    putEntry: (entry) => putEntry(client, ledgerTable, entry, now()),
  };
}
