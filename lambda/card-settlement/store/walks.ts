import { GetItemCommand, UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { InterruptedSends, RunPlan } from '../domain/business-day.ts';
import { Transaction } from '../domain/transaction.ts';
import type { WalkState } from '../domain/walk-state.ts';
import { StoredIntegerText } from './stored.ts';

/**
 * How far the walk of a date has come. It lies beside its day's record, which intake and lists read often. Only the holder
 * of the day's lease writes it, so no condition is needed.
 */
const SCOPE = 'walk';
const keys = tables.businessDays;
/** An item takes 400 KB with its keys. The text is all ASCII: identifiers, numbers and base64. */
const CHUNK_BYTES = 380 * 1024;

/** A run whose walk goes on in another invocation. */
export interface OpenWalk {
  readonly run: string;
  /** How many parts of the walk have been. */
  readonly part: number;
  readonly startedAt: string;
  /** How often its series had waited. */
  readonly attempt: number;
  /** Messages in the settlement queue when it began, if it asked. */
  readonly waiting?: number;
  readonly plan: RunPlan;
  readonly state: WalkState;
}

const CountAndAmount = v.object({ count: v.number(), amount: StoredIntegerText });
const Tally = v.object({ count: v.number(), ids: v.array(v.string()) });
const Lines = v.array(
  v.object({
    type: Transaction.entries.type,
    currency: v.string(),
    count: v.number(),
    amount: StoredIntegerText,
  }),
);
const Terminal = { clientId: v.string(), terminalId: v.string() };

const StoredSends = v.object({ startedAt: v.string(), all: v.boolean(), through: v.string() });

const StoredWalk = v.object({
  run: v.string(),
  part: v.number(),
  startedAt: v.string(),
  attempt: v.number(),
  waiting: v.exactOptional(v.number()),
  plan: v.object({
    sends: v.object({
      all: v.boolean(),
      sentBefore: v.exactOptional(v.string()),
      interrupted: v.exactOptional(v.object({ through: v.string(), sentBefore: v.string() })),
    }),
    overdueBefore: v.exactOptional(v.string()),
    mayBalance: v.boolean(),
  }),
  state: v.object({
    phase: v.picklist(['books', 'terminals', 'done']),
    through: v.string(),
    totals: v.record(
      v.string(),
      v.object({
        staged: CountAndAmount,
        settled: CountAndAmount,
        held: CountAndAmount,
        reversed: CountAndAmount,
        rejected: CountAndAmount,
      }),
    ),
    missing: Tally,
    overdue: Tally,
    unstaged: Tally,
    mismatched: Tally,
    merchant: v.array(
      v.object({
        merchantId: v.string(),
        currency: v.string(),
        count: v.number(),
        gross: StoredIntegerText,
        fees: StoredIntegerText,
        net: StoredIntegerText,
      }),
    ),
    sent: v.number(),
    terminalSums: v.pipe(
      v.string(),
      v.transform((base64) => new Uint8Array(Buffer.from(base64, 'base64'))),
    ),
    terminals: v.exactOptional(
      v.object({
        count: v.number(),
        reports: v.array(v.object({ ...Terminal, totals: Lines })),
        staged: v.array(v.object({ ...Terminal, lines: Lines })),
      }),
    ),
  }),
});

/** Notes how far a run has sent. */
export async function noteSends(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  sends: InterruptedSends,
): Promise<void> {
  await set(client, table, SCOPE, businessDate, { sends });
}

/** How far the last run had sent that noted it, be it concluded or not. */
export async function notedSends(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Promise<InterruptedSends | undefined> {
  const item = await get(client, table, SCOPE, businessDate);
  return parseWritten(v.object({ sends: v.exactOptional(StoredSends) }), item).sends;
}

/**
 * Writes down where a walk stands: as text, in as many items as it takes, for most one of a few KB. What was saved before
 * stands until all of them are there.
 */
export async function saveWalk(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  walk: OpenWalk,
): Promise<void> {
  const text = textOf(walk);
  const count = Math.ceil(text.length / CHUNK_BYTES);
  for (let number = 0; number < count; number++) {
    const chunk = text.slice(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES);
    await set(client, table, chunkScope(businessDate), `${walk.part}-${number}`, { chunk });
  }
  await set(client, table, SCOPE, businessDate, { run: walk.run, part: walk.part, count });
}

/** Where the walk of a run stands. @throws Error if another's has been saved since */
export async function loadWalk(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  run: string,
): Promise<OpenWalk> {
  const item = await get(client, table, SCOPE, businessDate);
  const saved = parseWritten(
    v.object({
      run: v.exactOptional(v.string()),
      part: v.optional(v.number(), 0),
      count: v.optional(v.number(), 0),
    }),
    item,
  );
  if (saved.run !== run) throw new Error('The walk of another run has been saved since.');
  let text = '';
  for (let number = 0; number < saved.count; number++) {
    const stored = await get(client, table, chunkScope(businessDate), `${saved.part}-${number}`);
    text += parseWritten(v.object({ chunk: v.string() }), stored).chunk;
  }
  return parseWritten(v.pipe(v.string(), v.parseJson(), StoredWalk), text);
}

function textOf(walk: OpenWalk): string {
  return JSON.stringify(walk, (_, value: unknown) =>
    typeof value === 'bigint'
      ? String(value)
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('base64')
        : value,
  );
}

async function set(
  client: DynamoDBClient,
  table: string,
  scope: string,
  item: string,
  attributes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(attributes);
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: marshall({ [keys.partitionKey]: scope, [keys.sortKey]: item }),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: marshall(
        Object.fromEntries(names.map((name) => [`:${name}`, attributes[name]])),
      ),
    }),
  );
}

async function get(
  client: DynamoDBClient,
  table: string,
  scope: string,
  item: string,
): Promise<Record<string, unknown>> {
  const { Item: found } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: marshall({ [keys.partitionKey]: scope, [keys.sortKey]: item }),
      ConsistentRead: true,
    }),
  );
  return unmarshall(found ?? {});
}

function chunkScope(businessDate: BusinessDate): string {
  return `${SCOPE}#${businessDate}`;
}
