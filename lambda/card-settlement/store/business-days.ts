import {
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type DynamoDBClient,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables, trigger } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { NOTHING_ASKED, type BusinessDay, type Trigger } from '../domain/business-day.ts';
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
  sealSeenAt: v.exactOptional(v.string()),
  lastRun: v.exactOptional(v.string()),
  lastMessage: v.exactOptional(v.string()),
  handedOn: v.exactOptional(v.picklist([...trigger, NOTHING_ASKED])),
  sentFrom: v.exactOptional(v.string()),
  allSentFrom: v.exactOptional(v.string()),
  resendAt: v.exactOptional(v.string()),
  overdueBefore: v.exactOptional(v.string()),
  progress: v.exactOptional(
    v.object({
      missing: v.number(),
      waiting: v.exactOptional(v.number()),
      since: v.string(),
      fewSince: v.exactOptional(v.string()),
    }),
  ),
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
  /**
   * Of a run that an earlier one asked for: that one, and the message. It goes on only if no other run has concluded
   * since. A message that comes again, because its run ended between its conclusion and what it asks for, goes on, too.
   */
  readonly goesOn?: { readonly after: string; readonly messageId: string };
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
  const { holder, now, until, seal, goesOn, ratesFound } = request;
  const free = '(attribute_not_exists(leaseUntil) OR leaseUntil < :now)';
  const item = await heldWrite(
    client,
    table,
    businessDate,
    {
      UpdateExpression: [
        'SET leaseHolder = :holder, leaseUntil = :until, revision = if_not_exists(revision, :one)',
        ...(seal ? ['sealedAt = if_not_exists(sealedAt, :now)'] : []),
      ]
        .join(', ')
        // Whatever walk had been cut, this run begins its own.
        .concat(' REMOVE cutRun', ratesFound ? ', ratesMissing' : ''),
      ConditionExpression:
        goesOn === undefined ? free : `${free} AND (lastRun = :after OR lastMessage = :message)`,
      ExpressionAttributeValues: marshall({
        ':holder': holder,
        ':until': until.toISOString(),
        ':now': now.toISOString(),
        ':one': 1,
        ...(goesOn === undefined ? {} : { ':after': goesOn.after, ':message': goesOn.messageId }),
      }),
    },
    ({ leaseHolder }) => leaseHolder === holder,
  );
  return item === undefined ? undefined : parseDay(item);
}

/** A run whose walk goes on in another invocation: the one whose message has the ticket may take it up. */
export interface CutRun {
  readonly run: string;
  readonly ticket: string;
}

/**
 * Hands a run's lease over to the holder of a ticket.
 *
 * @returns `lost` if the lease had passed to another run
 */
export async function handOver(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  from: { readonly holder: string; readonly until: Date },
  { run, ticket }: CutRun,
): Promise<'handed over' | 'lost'> {
  const item = await heldWrite(
    client,
    table,
    businessDate,
    {
      UpdateExpression: 'SET leaseHolder = :ticket, leaseUntil = :until, cutRun = :run',
      ConditionExpression: 'leaseHolder = :holder',
      ExpressionAttributeValues: marshall({
        ':holder': from.holder,
        ':until': from.until.toISOString(),
        ':ticket': ticket,
        ':run': run,
      }),
    },
    ({ leaseHolder }) => leaseHolder === ticket,
  );
  return item === undefined ? 'lost' : 'handed over';
}

/**
 * Takes up a run that was handed over. Its message may come again after an invocation that died: then the walk goes on
 * from where it was saved last, unless another run has begun since.
 */
export async function takeUp(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  request: Pick<LeaseRequest, 'holder' | 'now' | 'until'>,
  { run, ticket }: CutRun,
): Promise<BusinessDay | undefined> {
  const { holder, now, until } = request;
  const item = await heldWrite(
    client,
    table,
    businessDate,
    {
      UpdateExpression: 'SET leaseHolder = :holder, leaseUntil = :until',
      ConditionExpression:
        'leaseHolder = :ticket OR (cutRun = :run AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now))',
      ExpressionAttributeValues: marshall({
        ':holder': holder,
        ':until': until.toISOString(),
        ':now': now.toISOString(),
        ':ticket': ticket,
        ':run': run,
      }),
    },
    ({ leaseHolder }) => leaseHolder === holder,
  );
  return item === undefined ? undefined : parseDay(item);
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

/** A run that gives its lease back: the holder, the run's id and its message. */
export interface Concluding {
  readonly holder: string;
  readonly run: string;
  readonly messageId: string;
}

/** What asked for another run meanwhile, if anything did; `lost` if the lease had passed to another run. */
export type GivenBack = { readonly rerun?: Trigger } | 'lost';

/** Writes down what a run leaves behind, and gives the lease back. If it is `lost`, the other's conclusion stands. */
export async function finishRun(
  client: DynamoDBClient,
  table: string,
  day: BusinessDay,
  { holder, run, messageId }: Concluding,
): Promise<GivenBack> {
  const set: Record<string, unknown> = {
    revision: day.revision,
    sealSeenAt: day.sealSeenAt,
    balancedAt: day.balancedAt,
    sentFrom: day.sentFrom,
    allSentFrom: day.allSentFrom,
    resendAt: day.resendAt,
    overdueBefore: day.overdueBefore,
    progress: day.progress,
    asOf: day.asOf,
    totals: storedTotals(day.totals),
    breaks: day.breaks,
    lastRun: run,
    lastMessage: messageId,
  };
  const present = Object.keys(set).filter((name) => set[name] !== undefined);
  const absent = Object.keys(set).filter((name) => set[name] === undefined);
  // Settlement may have found rates missing since the run began: only a run that is complete takes that back.
  if (day.ratesMissing === undefined && day.balancedAt !== undefined) absent.push('ratesMissing');
  absent.push('cutRun');
  const names = [...present, ...absent];
  return giveBack(client, table, day.businessDate, holder, {
    set: present.map((name) => `#${name} = :${name}`),
    remove: absent.map((name) => `#${name}`),
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries(present.map((name) => [`:${name}`, set[name]])),
  });
}

/** Gives a lease back without a conclusion. */
export async function releaseLease(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  holder: string,
): Promise<GivenBack> {
  return giveBack(client, table, businessDate, holder, { set: [], remove: [], names: {}, values: {} });
}

/** Gives a lease back, with further changes in the same write, and records who gave it back and what was asked for. */
async function giveBack(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  holder: string,
  changes: {
    readonly set: readonly string[];
    readonly remove: readonly string[];
    readonly names: Readonly<Record<string, string>>;
    readonly values: Readonly<Record<string, unknown>>;
  },
): Promise<GivenBack> {
  const set = ['lastHolder = :holder', 'handedOn = if_not_exists(rerun, :nothing)', ...changes.set];
  const remove = ['leaseHolder', 'leaseUntil', 'rerun', ...changes.remove];
  const item = await heldWrite(
    client,
    table,
    businessDate,
    {
      UpdateExpression: `SET ${set.join(', ')} REMOVE ${remove.join(', ')}`,
      ConditionExpression: 'leaseHolder = :holder',
      ...(Object.keys(changes.names).length === 0 ? {} : { ExpressionAttributeNames: { ...changes.names } }),
      ExpressionAttributeValues: marshall({
        ':holder': holder,
        ':nothing': NOTHING_ASKED,
        ...changes.values,
      }),
    },
    ({ lastHolder }) => lastHolder === holder,
  );
  if (item === undefined) return 'lost';
  const { handedOn } = parseWritten(v.object({ handedOn: v.picklist([...trigger, NOTHING_ASKED]) }), item);
  return handedOn === NOTHING_ASKED ? {} : { rerun: handedOn };
}

/**
 * A write of a day that only the holder of its lease may make, or the run that takes it. If an answer is lost, the SDK
 * repeats the request; the repetition meets what the first has done, and is refused. The item then shows who did it.
 *
 * @returns the item as it stands after the write; undefined if another run was before it
 */
async function heldWrite(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  write: Omit<UpdateItemCommandInput, 'TableName' | 'Key' | 'ReturnValues'>,
  isOwn: (item: Readonly<Record<string, unknown>>) => boolean,
): Promise<Record<string, unknown> | undefined> {
  const place = { TableName: table, Key: keyOf(businessDate) };
  try {
    const { Attributes: item = {} } = await client.send(
      new UpdateItemCommand({ ...place, ...write, ReturnValues: 'ALL_NEW' }),
    );
    return unmarshall(item);
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    const { Item: standing } = await client.send(new GetItemCommand({ ...place, ConsistentRead: true }));
    const item = unmarshall(standing ?? {});
    return isOwn(item) ? item : undefined;
  }
}

/**
 * Notes that settlement waits for rates: the day is `blocked` until a run finds them. Of a million facts that wait, few
 * write: most find the mark.
 */
export async function markRatesMissing(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  currencies: readonly string[],
): Promise<'marked' | 'known'> {
  const standing = await readDay(client, table, businessDate);
  if (standing?.ratesMissing !== undefined) return 'known';
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
