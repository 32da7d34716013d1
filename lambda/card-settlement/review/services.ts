import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { buildServices as buildIntakeServices } from '../intake/services.ts';
import { getEntry, heldOfDate } from '../store/ledger.ts';
import { getStagedFacts } from '../store/staged-transactions.ts';
import type { HeldServices } from './list-held.ts';
import type { ReviewServices } from './review-transaction.ts';

/** A review's ports: intake's, for a decision is staged as a fact, and the ledger. Simulations pass their own client and clock. */
export function buildServices(
  client = createDynamoDbClient(),
  now: () => Date = systemClock,
): ReviewServices {
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    ...buildIntakeServices(client, now),
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
