import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { getEntry } from '../store/ledger.ts';
import { getDecision, getStagedFact, putStagedFact } from '../store/staged-transactions.ts';
import { createDayFinder } from './find-unsealed-date.ts';
import type { TransactionServices } from './get-transaction.ts';
import type { IntakeServices } from './stage-transaction.ts';

/** Intake's ports, on the tables that the environment names. Simulations pass their own client and clock. */
export function buildServices(
  client = createDynamoDbClient(),
  now: () => Date = systemClock,
): IntakeServices {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now,
    unsealedDateFrom: createDayFinder({
      now,
      readDay: (date) => readDay(client, daysTable, date),
      beginDay: (date) => beginDay(client, daysTable, date, now()),
    }),
    putFact: (fact) => putStagedFact(client, stagedTable, fact),
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    readDay: (date) => readDay(client, daysTable, date),
  };
}

/** Ports of the route that shows a transaction. */
export function buildTransactionServices(): TransactionServices {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    getEntry: (key) => getEntry(client, ledgerTable, key),
  };
}
