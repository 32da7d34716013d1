import * as v from 'valibot';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, parseAs, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { environmentNames, FactId } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { isReview, type AnyStagedFact } from '../domain/decision.ts';
import { decisionIdOf, sortKeyOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import { Identifier } from '../domain/transaction.ts';
import { CalendarDate, isOperator, pageBody, pageIn } from '../requests.ts';
import { heldBody } from '../responses.ts';
import { heldOfDate, type WrittenEntry } from '../store/ledger.ts';
import { getStagedFacts } from '../store/staged-transactions.ts';

interface Services {
  /** Held entries that sort after a key. */
  readonly held: (businessDate: BusinessDate, after: string | undefined) => AsyncIterable<WrittenEntry>;
  /** At most 100 ids. */
  readonly getFacts: (factIds: readonly string[]) => Promise<ReadonlyMap<string, AnyStagedFact>>;
}

const Cursor = v.strictObject({ merchantId: Identifier, transactionId: FactId });

/** Held entries looked at together: each needs its fact, and its decision if there is one. */
const CHUNK_SIZE = 50;
/** Held entries that one answer looks at: a page may be short where most are decided, or another client's. */
const EXAMINED_LIMIT = 2000;

/** `GET /transactions?status=held&businessDate=`: what waits for review: held, and neither released, rejected nor reversed. */
export async function listTransactions(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const { limit, cursor } = pageIn(request, Cursor, ['status', 'businessDate']);
  parseAs(v.picklist(['held'], 'must be held'), request.query['status'], 'query:status');
  const businessDate = parseAs(CalendarDate, request.query['businessDate'], 'query:businessDate');
  const after = cursor === undefined ? undefined : sortKeyOf(cursor.merchantId, cursor.transactionId);

  const waiting: { readonly fact: StagedFact; readonly entry: WrittenEntry }[] = [];
  let last: WrittenEntry | undefined;
  let examined = 0;
  for await (const chunk of inChunks(services.held(businessDate, after), CHUNK_SIZE)) {
    for (const found of await undecided(chunk, services)) {
      const mayBeSeen = found.fact.clientId === request.caller.clientId || isOperator(request);
      if (mayBeSeen) waiting.push(found);
    }
    examined += chunk.length;
    last = chunk.at(-1);
    if (waiting.length > limit || examined >= EXAMINED_LIMIT) break;
  }
  const items = waiting.slice(0, limit);
  const end = waiting.length > limit ? items.at(-1)?.entry : examined >= EXAMINED_LIMIT ? last : undefined;
  const next =
    end === undefined ? undefined : { merchantId: end.merchantId, transactionId: end.transactionId };
  return { status: 200, body: pageBody(items.map(heldBody), next) };
}

async function undecided(
  entries: readonly WrittenEntry[],
  services: Services,
): Promise<{ readonly fact: StagedFact; readonly entry: WrittenEntry }[]> {
  const ids = entries.map(({ transactionId }) => transactionId);
  const facts = await services.getFacts([...ids, ...ids.map(decisionIdOf)]);
  return entries.flatMap((entry) => {
    const fact = facts.get(entry.transactionId);
    const isDecided = facts.has(decisionIdOf(entry.transactionId));
    return fact === undefined || isReview(fact) || isDecided ? [] : [{ fact, entry }];
  });
}

async function* inChunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    held: (businessDate, after) => heldOfDate(client, ledgerTable, businessDate, after),
    getFacts: (factIds) => getStagedFacts(client, stagedTable, factIds),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => listTransactions(request, (services ??= buildServices())));
