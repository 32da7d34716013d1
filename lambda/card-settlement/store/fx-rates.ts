import {
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import { addDays, type BusinessDate } from '../domain/business-date.ts';
import { keepsAll, type FxRates } from '../domain/fx.ts';

const SCOPE = 'fx-rates';
const keys = tables.businessDays;
/** A date without rates takes those of at most this many dates before. */
const CARRY_DAYS = 7;

const StoredRates = v.object({
  base: v.string(),
  source: v.string(),
  rateDate: v.string(),
  rates: v.record(v.string(), v.string()),
  rateCount: v.number(),
  frozenAt: v.exactOptional(v.string()),
});
type StoredRates = v.InferOutput<typeof StoredRates>;

/**
 * Records a date's rates, unless they are frozen. Frozen rates may get further currencies, never other values. What
 * stands already is recorded: the answer to an earlier attempt may have been lost.
 */
export async function recordRates(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  rates: FxRates,
): Promise<'recorded' | 'frozen'> {
  if (await put(client, table, businessDate, rates, 'attribute_not_exists(frozenAt)')) return 'recorded';
  const rateCount = Object.keys(rates.rates).length;
  // Where another adds currencies meanwhile, what stands then is looked at once more: it may be this very addition.
  for (let attempt = 0; attempt < 3; attempt++) {
    const standing = await read(client, table, businessDate);
    if (standing === undefined || !keepsAll(standing, rates)) return 'frozen';
    if (standing.rateCount === rateCount) return 'recorded';
    if (await add(client, table, businessDate, rates, standing.rateCount)) return 'recorded';
  }
  return 'frozen';
}

async function add(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  { rates }: FxRates,
  before: number,
): Promise<boolean> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(businessDate),
        UpdateExpression: 'SET rates = :rates, rateCount = :count',
        ConditionExpression: 'rateCount = :before',
        ExpressionAttributeValues: marshall({
          ':rates': rates,
          ':count': Object.keys(rates).length,
          ':before': before,
        }),
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}

/** The rates that a date would use: its own, else the latest of the seven dates before. */
export async function findRates(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Promise<FxRates | undefined> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#scope = :scope AND #item BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#scope': keys.partitionKey, '#item': keys.sortKey },
      ExpressionAttributeValues: marshall({
        ':scope': SCOPE,
        ':from': addDays(businessDate, -CARRY_DAYS),
        ':to': businessDate,
      }),
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const [item] = items;
  return item === undefined ? undefined : parseWritten(StoredRates, unmarshall(item));
}

/**
 * Fixes the rates that a date converts with, from its first conversion on. They are frozen in the very item that
 * `recordRates` writes, so that no write can come between; rates of an earlier date are recorded as the date's own.
 */
export async function freezeRates(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  now: Date,
): Promise<FxRates | undefined> {
  const own = await read(client, table, businessDate);
  if (own?.frozenAt !== undefined) return own;
  if (own === undefined) {
    const earlier = await findRates(client, table, businessDate);
    if (earlier === undefined) return undefined;
    const { base, source, rateDate, rates } = earlier;
    const carried = { base, source, rateDate, rates };
    const item = { ...carried, frozenAt: now.toISOString() };
    if (await put(client, table, businessDate, item, `attribute_not_exists(${keys.partitionKey})`))
      return carried;
  }
  // Rates are never deleted: they are there now, and whoever froze them first froze these.
  const { Attributes: item = {} } = await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: keyOf(businessDate),
      UpdateExpression: 'SET frozenAt = if_not_exists(frozenAt, :now)',
      ConditionExpression: `attribute_exists(${keys.partitionKey})`,
      ExpressionAttributeValues: marshall({ ':now': now.toISOString() }),
      ReturnValues: 'ALL_NEW',
    }),
  );
  return parseWritten(StoredRates, unmarshall(item));
}

async function read(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Promise<StoredRates | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: keyOf(businessDate), ConsistentRead: true }),
  );
  return item === undefined ? undefined : parseWritten(StoredRates, unmarshall(item));
}

async function put(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  rates: FxRates & { readonly frozenAt?: string },
  condition: string,
): Promise<boolean> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: marshall({
          ...rates,
          rateCount: Object.keys(rates.rates).length,
          [keys.partitionKey]: SCOPE,
          [keys.sortKey]: businessDate,
        }),
        ConditionExpression: condition,
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}

function keyOf(businessDate: BusinessDate) {
  return marshall({ [keys.partitionKey]: SCOPE, [keys.sortKey]: businessDate });
}
