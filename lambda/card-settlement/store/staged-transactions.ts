import {
  BatchGetItemCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type BatchGetItemCommandOutput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { stagedIndexAttributes, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { isReview, type AnyStagedFact } from '../domain/decision.ts';
import { isSmallSale } from '../domain/fraud/small-amount.ts';
import {
  isDecisionId,
  occurrenceKeyOf,
  partitionOf,
  partitionsOf,
  sortKeyOf,
  terminalKeyOf,
} from '../domain/identifiers.ts';
import { mergePages, type Pages } from '../domain/merge-join.ts';
import { STAGED_KEPT_DAYS } from '../domain/retention.ts';
import type { StagedFact } from '../domain/settlement.ts';
import type { StagedSummary } from '../domain/totals.ts';
import { instantOf, Transaction } from '../domain/transaction.ts';
import { queryPages } from './pages.ts';

const keys = tables.stagedTransactions;
/** Small enough that the pages of 16 shards of both tables fit a small function. */
const PAGE_ITEMS = 100;

/** Keys of the table and its indexes stand beside the fact in an item; they are derived, and dropped on the way out. */
const StoredFact = v.object({
  ...Transaction.entries,
  // Intake may come to refuse a currency that it has taken before.
  currency: v.string(),
  transactionId: v.string(),
  clientId: v.string(),
  businessDate: v.string(),
  stagedAt: v.string(),
  bodyDigest: v.string(),
  idempotencyId: v.exactOptional(v.string()),
  requestId: v.exactOptional(v.string()),
});

const StoredReview = v.object({
  transactionId: v.string(),
  type: v.picklist(['release', 'reject']),
  originalTransactionId: v.string(),
  originalType: Transaction.entries.type,
  originalBusinessDate: v.string(),
  merchantId: v.string(),
  amount: v.number(),
  currency: v.string(),
  businessDate: v.string(),
  stagedAt: v.string(),
  clientId: v.string(),
  reason: v.string(),
  requestId: v.exactOptional(v.string()),
});

const AnyStoredFact = v.union([StoredReview, StoredFact]);

const StoredSummary = v.object({
  transactionId: v.string(),
  merchantId: v.string(),
  type: v.picklist([...Transaction.entries.type.options, 'release', 'reject']),
  originalType: v.exactOptional(Transaction.entries.type),
  amount: v.number(),
  currency: v.string(),
  stagedAt: v.string(),
  clientId: v.exactOptional(v.string()),
  terminalId: v.exactOptional(v.string()),
});

/** Writes a fact unless its id is taken. Costs one write unit, and one for each index: by date and by card. */
export async function putStagedFact(
  client: DynamoDBClient,
  table: string,
  fact: AnyStagedFact,
): Promise<'written' | 'exists'> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: stagedItem(fact),
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      }),
    );
    return 'written';
  } catch (error) {
    if (isConditionFailed(error)) return 'exists';
    throw error;
  }
}

/** Reads one transaction, consistently. */
export async function getStagedFact(
  client: DynamoDBClient,
  table: string,
  transactionId: string,
): Promise<StagedFact | undefined> {
  const item = await getItem(client, table, transactionId);
  return item === undefined ? undefined : parseWritten(StoredFact, item);
}

/** Reads the decision on a transaction, consistently: a review, or a reversal. @param decisionId see `decisionIdOf` */
export async function getDecision(
  client: DynamoDBClient,
  table: string,
  decisionId: string,
): Promise<AnyStagedFact | undefined> {
  const item = await getItem(client, table, decisionId);
  return item === undefined ? undefined : parseWritten(AnyStoredFact, item);
}

async function getItem(client: DynamoDBClient, table: string, factId: string): Promise<unknown> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: marshall({ [keys.partitionKey]: factId }),
      ConsistentRead: true,
    }),
  );
  return item === undefined ? undefined : unmarshall(item);
}

/**
 * Reads facts by id, consistently; those that do not exist are left out.
 *
 * @param factIds at most 100, without repetition
 */
export async function getStagedFacts(
  client: DynamoDBClient,
  table: string,
  factIds: readonly string[],
): Promise<Map<string, AnyStagedFact>> {
  const facts = new Map<string, AnyStagedFact>();
  if (factIds.length === 0) return facts;
  let wanted: BatchGetItemCommandOutput['UnprocessedKeys'] = {
    [table]: { Keys: factIds.map((id) => marshall({ [keys.partitionKey]: id })), ConsistentRead: true },
  };
  // Unprocessed keys are a normal answer under throttling; a function that runs out of time retries the batch.
  for (let attempt = 0; wanted !== undefined && Object.keys(wanted).length > 0; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** Math.min(attempt, 5)));
    if (attempt > 8) throw new Error('DynamoDB left keys unprocessed nine times in a row.');
    const answer: BatchGetItemCommandOutput = await client.send(
      new BatchGetItemCommand({ RequestItems: wanted }),
    );
    for (const item of answer.Responses?.[table] ?? []) {
      const fact = parseWritten(AnyStoredFact, unmarshall(item));
      facts.set(fact.transactionId, fact);
    }
    wanted = answer.UnprocessedKeys;
  }
  return facts;
}

/**
 * Streams what was staged for a date, page by page, in the order of `sortKeyOf`, in constant memory.
 *
 * @param after the key to begin after
 */
export function stagedOfDate(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  after?: string,
): Pages<StagedSummary> {
  const index = keys.byBusinessDate;
  return mergePages(
    partitionsOf(businessDate).map((partition) =>
      queryPages(
        client,
        {
          TableName: table,
          IndexName: index.name,
          KeyConditionExpression: `#partition = :partition${after === undefined ? '' : ' AND #sort > :after'}`,
          ProjectionExpression: ['#id', ...stagedIndexAttributes.map((_, number) => `#a${number}`)].join(
            ', ',
          ),
          ExpressionAttributeNames: {
            '#partition': index.partitionKey,
            ...(after === undefined ? {} : { '#sort': index.sortKey }),
            '#id': keys.partitionKey,
            ...Object.fromEntries(stagedIndexAttributes.map((name, number) => [`#a${number}`, name])),
          },
          ExpressionAttributeValues: marshall({
            ':partition': partition,
            ...(after === undefined ? {} : { ':after': after }),
          }),
          Limit: PAGE_ITEMS,
        },
        (item) => parseWritten(StoredSummary, item),
      ),
    ),
    (staged) => sortKeyOf(staged.merchantId, staged.transactionId),
  );
}

/** A fact as the table keeps it. */
export function stagedItem(fact: AnyStagedFact): Record<string, AttributeValue> {
  const item = {
    ...fact,
    [keys.byBusinessDate.partitionKey]: partitionOf(fact.businessDate, fact.transactionId),
    [keys.byBusinessDate.sortKey]: sortKeyOf(fact.merchantId, fact.transactionId),
    // A decision is no use of the card: it is in no history.
    ...(isReview(fact) || isDecisionId(fact.transactionId) ? {} : historyKeys(fact)),
    [keys.timeToLive]: Math.floor(Date.parse(fact.stagedAt) / 1000) + STAGED_KEPT_DAYS * 86_400,
  };
  return marshall(item, { removeUndefinedValues: true });
}

function historyKeys(fact: StagedFact): Record<string, string> {
  return {
    [keys.byCard.sortKey]: occurrenceKeyOf(instantOf(fact), fact.transactionId),
    ...(isSmallSale(fact) ? { [keys.bySmallAmount.partitionKey]: terminalKeyOf(fact) } : {}),
  };
}
