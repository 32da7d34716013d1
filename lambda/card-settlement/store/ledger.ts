import {
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { partitionOf, partitionsOf, sortKeyOf } from '../domain/identifiers.ts';
import { mergePages, mergeSorted, type Pages } from '../domain/merge-join.ts';
import type { LedgerEntry } from '../domain/settlement.ts';
import type { LedgerSummary } from '../domain/totals.ts';
import { Transaction } from '../domain/transaction.ts';
import { queryPages } from './pages.ts';
import { StoredInteger } from './stored.ts';

const keys = tables.ledger;
const PAGE_ITEMS = 100;

const Status = v.picklist(['settled', 'held', 'reversed', 'rejected']);

const StoredSummary = v.object({
  transactionId: v.string(),
  merchantId: v.string(),
  status: Status,
  type: v.picklist([...Transaction.entries.type.options, 'release', 'reject']),
  movesFrom: v.exactOptional(Status),
  amount: StoredInteger,
  currency: v.string(),
  settlementCurrency: v.string(),
  gross: StoredInteger,
  fee: StoredInteger,
  net: StoredInteger,
});

const StoredEntry = v.object({
  ...StoredSummary.entries,
  businessDate: v.string(),
  conversion: v.exactOptional(
    v.object({
      base: v.string(),
      source: v.string(),
      rateDate: v.string(),
      fromRate: v.string(),
      toRate: v.string(),
    }),
  ),
  withoutProfile: v.boolean(),
  score: v.number(),
  rules: v.array(
    v.object({
      rule: v.string(),
      score: v.number(),
      inputs: v.record(v.string(), v.union([v.string(), v.number()])),
    }),
  ),
  settledAt: v.string(),
});

/** A ledger entry as it stands, with the instant it was written. */
export type WrittenEntry = v.InferOutput<typeof StoredEntry>;

const summaryAttributes = Object.keys(StoredSummary.entries);

function parseSummary(item: unknown): LedgerSummary {
  return parseWritten(StoredSummary, item);
}

/** Puts an entry unless there is one: the first writer wins, however often a message is delivered. One write unit, two if held. */
export async function putEntry(
  client: DynamoDBClient,
  table: string,
  entry: LedgerEntry,
  settledAt: Date,
): Promise<'written' | 'exists'> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: ledgerItem(entry, settledAt),
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      }),
    );
    return 'written';
  } catch (error) {
    if (isConditionFailed(error)) return 'exists';
    throw error;
  }
}

/** An entry as the table keeps it. */
export function ledgerItem(entry: LedgerEntry, settledAt: Date): Record<string, AttributeValue> {
  const item = {
    ...entry,
    [keys.partitionKey]: partitionOf(entry.businessDate, entry.transactionId),
    [keys.sortKey]: sortKeyOf(entry.merchantId, entry.transactionId),
    ...(entry.status === 'held'
      ? { [keys.byHeld.partitionKey]: partitionOf(entry.businessDate, entry.transactionId) }
      : {}),
    settledAt: settledAt.toISOString(),
  };
  return marshall(item, { removeUndefinedValues: true });
}

/** Where a fact's entry stands. */
export interface EntryKey {
  readonly businessDate: BusinessDate;
  readonly merchantId: string;
  readonly transactionId: string;
}

/** The entry of one fact, read consistently. */
export async function getEntry(
  client: DynamoDBClient,
  table: string,
  { businessDate, merchantId, transactionId }: EntryKey,
): Promise<WrittenEntry | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: marshall({
        [keys.partitionKey]: partitionOf(businessDate, transactionId),
        [keys.sortKey]: sortKeyOf(merchantId, transactionId),
      }),
      ConsistentRead: true,
    }),
  );
  return item === undefined ? undefined : parseWritten(StoredEntry, unmarshall(item));
}

/** Which part of a date's ledger to read: what sorts after a key, or what begins with one. */
export type LedgerRange =
  { readonly after: string } | { readonly from: string; readonly to: string } | undefined;

/** Streams what reconciling needs of a date's entries, in the order of `sortKeyOf`, consistently, in constant memory. */
export function ledgerOfDate(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  range?: LedgerRange,
): AsyncGenerator<LedgerSummary, void, undefined> {
  return readLedger(client, table, businessDate, range, summaryAttributes, PAGE_ITEMS, parseSummary);
}

/** The same, page by page, from after a key on. */
export function ledgerPagesOfDate(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  after?: string,
): Pages<LedgerSummary> {
  const range = after === undefined ? undefined : { after };
  return mergePages(
    partitionPages(client, table, businessDate, range, summaryAttributes, PAGE_ITEMS, parseSummary),
    keyOf,
  );
}

/** The same with whole entries, for a reader that wants about `limit` of them. */
export function entriesOfDate(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  range: LedgerRange,
  limit: number,
): AsyncGenerator<WrittenEntry, void, undefined> {
  return readLedger(client, table, businessDate, range, Object.keys(StoredEntry.entries), limit, (item) =>
    parseWritten(StoredEntry, item),
  );
}

/**
 * The held entries of a date that sort after a key, whole: as far as they were written a moment ago, for an index lags
 * behind its table. What is not held is not read.
 */
export function heldOfDate(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  after: string | undefined,
): AsyncGenerator<WrittenEntry, void, undefined> {
  const range = after === undefined ? undefined : { after };
  const attributes = Object.keys(StoredEntry.entries);
  const parse = (item: unknown): WrittenEntry => parseWritten(StoredEntry, item);
  return readLedger(client, table, businessDate, range, attributes, PAGE_ITEMS, parse, keys.byHeld);
}

function readLedger<T extends Pick<LedgerSummary, 'merchantId' | 'transactionId'>>(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  range: LedgerRange,
  attributes: readonly string[],
  pageItems: number,
  parse: (item: unknown) => T,
  index?: typeof keys.byHeld,
): AsyncGenerator<T, void, undefined> {
  return mergeSorted(
    partitionPages(client, table, businessDate, range, attributes, pageItems, parse, index),
    keyOf,
  );
}

/** The pages of each partition of a date, in order. */
function partitionPages<T>(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  range: LedgerRange,
  attributes: readonly string[],
  pageItems: number | undefined,
  parse: (item: unknown) => T,
  index?: typeof keys.byHeld,
): Pages<T>[] {
  return partitionsOf(businessDate).map((partition) =>
    queryPages(
      client,
      {
        TableName: table,
        // An index cannot be read consistently.
        ...(index === undefined ? { ConsistentRead: true } : { IndexName: index.name }),
        KeyConditionExpression: `#partition = :partition${conditionOf(range)}`,
        ProjectionExpression: attributes.map((_, number) => `#a${number}`).join(', '),
        ExpressionAttributeNames: {
          '#partition': (index ?? keys).partitionKey,
          ...(range === undefined ? {} : { '#sort': keys.sortKey }),
          ...Object.fromEntries(attributes.map((name, number) => [`#a${number}`, name])),
        },
        ExpressionAttributeValues: marshall({ ':partition': partition, ...valuesOf(range) }),
        ...(pageItems === undefined ? {} : { Limit: pageItems }),
      },
      parse,
    ),
  );
}

function keyOf({ merchantId, transactionId }: Pick<LedgerSummary, 'merchantId' | 'transactionId'>): string {
  return sortKeyOf(merchantId, transactionId);
}

function conditionOf(range: LedgerRange): string {
  if (range === undefined) return '';
  return 'after' in range ? ' AND #sort > :after' : ' AND #sort BETWEEN :from AND :to';
}

function valuesOf(range: LedgerRange): Record<string, string> {
  if (range === undefined) return {};
  return 'after' in range ? { ':after': range.after } : { ':from': range.from, ':to': range.to };
}
