import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { createDayFinder } from '../intake/find-unsealed-date.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { getEntry, heldOfDate } from '../store/ledger.ts';
import { getDecision, getStagedFact, getStagedFacts, putStagedFact } from '../store/staged-transactions.ts';
import type { HeldServices } from './list-held.ts';
import type { ReviewServices } from './review-transaction.ts';

/** A review's ports, on the tables that the environment names. Simulations pass their own client and clock. */
export function buildServices(
  client = createDynamoDbClient(),
  now: () => Date = systemClock,
): ReviewServices {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now,
    unsealedDateFrom: createDayFinder({
      now,
      readDay: (date) => readDay(client, daysTable, date),
      beginDay: (date) => beginDay(client, daysTable, date, now()),
    }),
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    putFact: (fact) => putStagedFact(client, stagedTable, fact),
    getEntry: (fact) => getEntry(client, ledgerTable, fact),
  };
}

/** Ports of the list of held transactions. */
export function buildListServices(): HeldServices {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    held: (businessDate, after) => heldOfDate(client, ledgerTable, businessDate, after),
    getFacts: (factIds) => getStagedFacts(client, stagedTable, factIds),
  };
}
