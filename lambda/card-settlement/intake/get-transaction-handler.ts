import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import type { AnyStagedFact } from '../domain/decision.ts';
import { decisionIdOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import { identifierIn, isOperator, knownQuery } from '../requests.ts';
import { decisionBody, entryBody, factBody } from '../responses.ts';
import { getEntry, type EntryKey, type WrittenEntry } from '../store/ledger.ts';
import { getDecision, getStagedFact } from '../store/staged-transactions.ts';

interface Services {
  readonly getFact: (transactionId: string) => Promise<StagedFact | undefined>;
  readonly getDecision: (decisionId: string) => Promise<AnyStagedFact | undefined>;
  readonly getEntry: (key: EntryKey) => Promise<WrittenEntry | undefined>;
}

/**
 * `GET /transactions/{transactionId}`: the fact, the decision on it if there is one, what became of it, and the ledger
 * entries that say so.
 */
export async function getTransaction(request: HttpRequest, services: Services): Promise<HttpResponse> {
  knownQuery(request, []);
  const transactionId = identifierIn(request, 'transactionId');
  const [fact, decision] = await Promise.all([
    services.getFact(transactionId),
    services.getDecision(decisionIdOf(transactionId)),
  ]);
  // Another client's transaction does not exist for this one: a 403 would say that it does.
  if (fact === undefined || (fact.clientId !== request.caller.clientId && !isOperator(request))) {
    throw notFoundProblem('transaction');
  }
  // The decision may lie in the books of another date.
  const found = await Promise.all(
    [fact, ...(decision === undefined ? [] : [decision])].map(async (each) => services.getEntry(each)),
  );
  const entries = found.filter((entry) => entry !== undefined);
  return {
    status: 200,
    body: {
      ...factBody(fact),
      status: entries.at(-1)?.status ?? 'staged',
      ...(decision === undefined ? {} : { decision: decisionBody(decision) }),
      entries: entries.map(entryBody),
    },
  };
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    getEntry: (key) => getEntry(client, ledgerTable, key),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => getTransaction(request, (services ??= buildServices())));
