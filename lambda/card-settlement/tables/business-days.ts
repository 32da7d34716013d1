import {
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables, trigger } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay, Trigger } from '../domain/business-day.ts';
import type { ControlTotals } from '../domain/totals.ts';
import { queryPages } from './pages.ts';
import { Transaction } from '../domain/transaction.ts';
import { StoredInteger, StoredIntegerText } from './stored.ts';

/**
 * Days are the items of one scope, so that those that have transactions can be listed. A day's record is written by
 * intake once, by the run that holds its lease, and by settlement when it finds rates missing.
 */
const SCOPE = 'day';
const keys = tables.businessDays;

const CountAndAmount = v.object({ count: v.number(), amount: StoredIntegerText });
const NOTHING = { count: 0, amount: '0' };

const TerminalLines = v.array(
  v.object({
    type: Transaction.entries.type,
    currency: v.string(),
    count: v.number(),
    amount: StoredInteger,
  }),
);

const StoredDay = v.object({
  itemKey: v.string(),
  revision: v.number(),
  firstStagedAt: v.exactOptional(v.string()),
  sealedAt: v.exactOptional(v.string()),
  balancedAt: v.exactOptional(v.string()),
  ratesMissing: v.exactOptional(v.array(v.string())),
  series: v.exactOptional(v.string()),
  sentFrom: v.exactOptional(v.string()),
  allSentFrom: v.exactOptional(v.string()),
  resendAt: v.exactOptional(v.string()),
  overdueBefore: v.exactOptional(v.string()),
  asOf: v.exactOptional(v.string()),
  totals: v.optional(
    v.record(
      v.string(),
      v.object({
        staged: v.optional(CountAndAmount, NOTHING),
        settled: v.optional(CountAndAmount, NOTHING),
        held: v.optional(CountAndAmount, NOTHING),
        reversed: v.optional(CountAndAmount, NOTHING),
        rejected: v.optional(CountAndAmount, NOTHING),
      }),
    ),
    {},
  ),
  breaks: v.optional(
    v.array(
      v.object({
        kind: v.picklist(['unsettled', 'unstaged', 'mismatched', 'straggler', 'terminal-totals']),
        subject: v.string(),
        count: v.exactOptional(v.number()),
        ids: v.exactOptional(v.array(v.string())),
        expected: v.exactOptional(TerminalLines),
        actual: v.exactOptional(TerminalLines),
      }),
    ),
    [],
  ),
});

/** Reads a day, consistently. */
export async function readDay(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Promise<BusinessDay | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: keyOf(businessDate), ConsistentRead: true }),
  );
  return item === undefined ? undefined : parseDay(unmarshall(item));
}

/** Records a day when its first transaction comes, so that it is known to the schedule before it has any. */
export async function beginDay(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  now: Date,
): Promise<'begun' | 'exists'> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: marshall({
          [keys.partitionKey]: SCOPE,
          [keys.sortKey]: businessDate,
          revision: 1,
          firstStagedAt: now.toISOString(),
        }),
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      }),
    );
    return 'begun';
  } catch (error) {
    if (isConditionFailed(error)) return 'exists';
    throw error;
  }
}

/** Which days a listing covers. */
export interface DayRange {
  readonly from?: BusinessDate;
  readonly to?: BusinessDate;
  readonly newestFirst: boolean;
}

/** Days by date, page by page. */
export function daysOf(
  client: DynamoDBClient,
  table: string,
  range: DayRange,
  pageItems: number,
): AsyncGenerator<readonly BusinessDay[], void, undefined> {
  return queryPages(
    client,
    {
      TableName: table,
      KeyConditionExpression: '#scope = :scope AND #item BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#scope': keys.partitionKey, '#item': keys.sortKey },
      ExpressionAttributeValues: marshall({
        ':scope': SCOPE,
        ':from': range.from ?? '0000-00-00',
        ':to': range.to ?? '9999-99-99',
      }),
      ConsistentRead: true,
      ScanIndexForward: !range.newestFirst,
      Limit: pageItems,
    },
    parseDay,
  );
}

/** What a run asks for when it takes a day's lease. */
export interface LeaseRequest {
  readonly holder: string;
  readonly now: Date;
  readonly until: Date;
  /** Seals the day in the same write. */
  readonly seal: boolean;
  readonly series: string;
  /** True for a run that an earlier one asked for: it goes on only if no later request began another series. */
  readonly sameSeries: boolean;
  /** Forgets that rates were missing, because they are there now. */
  readonly ratesFound: boolean;
}

/** Takes the lease of a day, unless another run has it. Creates the record of a day that has no transactions. */
export async function acquireLease(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  request: LeaseRequest,
): Promise<BusinessDay | undefined> {
  const free = '(attribute_not_exists(leaseUntil) OR leaseUntil < :now)';
  try {
    const { Attributes: item = {} } = await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(businessDate),
        UpdateExpression: [
          'SET leaseHolder = :holder, leaseUntil = :until, series = :series',
          'revision = if_not_exists(revision, :one)',
          ...(request.seal ? ['sealedAt = if_not_exists(sealedAt, :now)'] : []),
        ]
          .join(', ')
          .concat(' REMOVE rerun', request.ratesFound ? ', ratesMissing' : ''),
        ConditionExpression: request.sameSeries ? `${free} AND series = :series` : free,
        ExpressionAttributeValues: marshall({
          ':holder': request.holder,
          ':until': request.until.toISOString(),
          ':now': request.now.toISOString(),
          ':series': request.series,
          ':one': 1,
        }),
        ReturnValues: 'ALL_NEW',
      }),
    );
    return parseDay(unmarshall(item));
  } catch (error) {
    if (isConditionFailed(error)) return undefined;
    throw error;
  }
}

/** Asks the run that holds a day's lease to run again. False if nobody holds it any more. */
export async function requestRerun(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  by: Trigger,
  now: Date,
): Promise<boolean> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(businessDate),
        // An operator's request outranks the schedule's: it sends at once.
        UpdateExpression: by === 'operator' ? 'SET rerun = :by' : 'SET rerun = if_not_exists(rerun, :by)',
        ConditionExpression: 'leaseUntil >= :now',
        ExpressionAttributeValues: marshall({ ':by': by, ':now': now.toISOString() }),
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}

/**
 * Writes down what a run leaves behind, and gives the lease back.
 *
 * @returns what asked for another run meanwhile, if anything did; `lost` if the lease had passed to another run,
 *   whose conclusion then stands
 */
export async function finishRun(
  client: DynamoDBClient,
  table: string,
  day: BusinessDay,
  holder: string,
): Promise<{ readonly rerun?: Trigger } | 'lost'> {
  const set: Record<string, unknown> = {
    revision: day.revision,
    balancedAt: day.balancedAt,
    sentFrom: day.sentFrom,
    allSentFrom: day.allSentFrom,
    resendAt: day.resendAt,
    overdueBefore: day.overdueBefore,
    asOf: day.asOf,
    totals: storedTotals(day.totals),
    breaks: day.breaks,
  };
  const present = Object.keys(set).filter((name) => set[name] !== undefined);
  const absent = Object.keys(set).filter((name) => set[name] === undefined);
  // Settlement may have found rates missing since the run began: only a run that is complete takes that back.
  if (day.ratesMissing === undefined && day.balancedAt !== undefined) absent.push('ratesMissing');
  const names = [...present, ...absent];
  try {
    const { Attributes: before = {} } = await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(day.businessDate),
        UpdateExpression: [
          `SET ${present.map((name) => `#${name} = :${name}`).join(', ')}`,
          `REMOVE ${['leaseHolder', 'leaseUntil', 'rerun', ...absent.map((name) => `#${name}`)].join(', ')}`,
        ].join(' '),
        ConditionExpression: 'leaseHolder = :holder',
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: marshall({
          ':holder': holder,
          ...Object.fromEntries(present.map((name) => [`:${name}`, set[name]])),
        }),
        ReturnValues: 'ALL_OLD',
      }),
    );
    return rerunOf(before);
  } catch (error) {
    if (isConditionFailed(error)) return 'lost';
    throw error;
  }
}

/** Gives a lease back without a conclusion. @returns as `finishRun` does */
export async function releaseLease(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  holder: string,
): Promise<{ readonly rerun?: Trigger } | 'lost'> {
  try {
    const { Attributes: before = {} } = await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(businessDate),
        UpdateExpression: 'REMOVE leaseHolder, leaseUntil, rerun',
        ConditionExpression: 'leaseHolder = :holder',
        ExpressionAttributeValues: marshall({ ':holder': holder }),
        ReturnValues: 'ALL_OLD',
      }),
    );
    return rerunOf(before);
  } catch (error) {
    if (isConditionFailed(error)) return 'lost';
    throw error;
  }
}

/** Notes that settlement waits for rates: the day is `blocked` until a run finds them. */
export async function markRatesMissing(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  currencies: readonly string[],
): Promise<'marked' | 'known'> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(businessDate),
        UpdateExpression: 'SET ratesMissing = :currencies',
        // A day that was balanced has all its entries: a late duplicate must not block it.
        ConditionExpression:
          'attribute_exists(revision) AND attribute_not_exists(ratesMissing) AND attribute_not_exists(balancedAt)',
        ExpressionAttributeValues: marshall({ ':currencies': currencies }),
      }),
    );
    return 'marked';
  } catch (error) {
    if (isConditionFailed(error)) return 'known';
    throw error;
  }
}

/** What asked for another run while this one had the lease. */
function rerunOf(before: Record<string, AttributeValue>): { readonly rerun?: Trigger } {
  const { rerun } = parseWritten(
    v.object({ rerun: v.exactOptional(v.picklist(trigger)) }),
    unmarshall(before),
  );
  return rerun === undefined ? {} : { rerun };
}

function keyOf(businessDate: BusinessDate) {
  return marshall({ [keys.partitionKey]: SCOPE, [keys.sortKey]: businessDate });
}

function parseDay(item: unknown): BusinessDay {
  const { itemKey: businessDate, ...day } = parseWritten(StoredDay, item);
  return { ...day, businessDate };
}

/** Sides without a transaction are left out: a day's record stays within one write unit. */
function storedTotals(totals: Readonly<Record<string, ControlTotals>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(totals).map(([currency, sides]) => [
      currency,
      Object.fromEntries(
        Object.entries(sides)
          .filter(([, { count, amount }]) => count !== 0 || amount !== 0n)
          .map(([side, { count, amount }]) => [side, { count, amount: String(amount) }]),
      ),
    ]),
  );
}
