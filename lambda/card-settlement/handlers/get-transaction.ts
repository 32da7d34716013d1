import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import type { StagedFact } from '../domain/settlement.ts';
import { identifierIn, isOperator, knownQuery } from '../requests.ts';
import { entryBody } from '../responses.ts';
import { entriesOfTransaction, type WrittenEntry } from '../tables/ledger.ts';
import { getStagedFact } from '../tables/staged-transactions.ts';

interface Services {
  readonly getFact: (transactionId: string) => Promise<StagedFact | undefined>;
  readonly entriesOf: (fact: StagedFact) => Promise<WrittenEntry[]>;
}

/** `GET /transactions/{transactionId}`: the fact, what became of it, and the ledger entries that say so. */
export async function getTransaction(request: HttpRequest, services: Services): Promise<HttpResponse> {
  knownQuery(request, []);
  const fact = await services.getFact(identifierIn(request, 'transactionId'));
  // Another client's transaction does not exist for this one: a 403 would say that it does.
  if (fact === undefined || (fact.clientId !== request.caller.clientId && !isOperator(request))) {
    throw notFoundProblem('transaction');
  }
  const entries = await services.entriesOf(fact);
  const { bodyDigest: _digest, clientId: _client, ...shown } = fact;
  return {
    status: 200,
    body: { ...shown, status: entries.at(-1)?.status ?? 'staged', entries: entries.map(entryBody) },
  };
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    entriesOf: (fact) => entriesOfTransaction(client, ledgerTable, fact),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => getTransaction(request, (services ??= buildServices())));
