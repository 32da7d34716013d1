import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import type { DynamoDB } from '@aws-sdk/client-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { canonicalNumber } from '../../../local/dynamodb/number.ts';
import { textAt } from '../../../local/template/template.ts';
import type { JsonObject } from '../../../local/template/template.ts';
import type { Operation } from './operations.ts';

/** What a side answered, in a form that equal answers share. */
export interface Answer {
  readonly error?: string;
  readonly message?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function answerOf(operation: Operation, client: DynamoDB): Promise<Answer> {
  try {
    const { $metadata: _, ...body } = Object.fromEntries(Object.entries(await operation.send(client)));
    return { body: Object.fromEntries(Object.entries(body).map(([name, part]) => [name, normal(part)])) };
  } catch (error) {
    if (!(error instanceof DynamoDBServiceException)) throw error;
    const item = 'Item' in error ? error.Item : undefined;
    return {
      error: error.name,
      message: error.message,
      body: item === undefined ? {} : { Item: normal(item) },
    };
  }
}

/** Of an answer as it comes over HTTP. */
export function rawAnswer(status: number, body: JsonObject): Answer {
  const { __type: _, message: __, Message: ___, ...rest } = body;
  const parts = Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, normal(part)]));
  if (status === 200) return { body: parts };
  const [error = ''] = (textAt(body, '__type') ?? '').split('#').slice(-1);
  return { error, message: textAt(body, 'Message') ?? textAt(body, 'message') ?? '', body: parts };
}

const SETS = new Set(['SS', 'NS', 'BS']);

/**
 * Equal for values that are equal, whatever the order of names and of elements of sets, and whatever way numbers are
 * written: DynamoDB Local trims the zeros of a put alone, AWS those of every number.
 */
function normal(value: unknown, kind = ''): unknown {
  if (kind === 'N' && typeof value === 'string') return canonicalNumber(value) ?? value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((each) => normal(each, kind === 'NS' ? 'N' : ''));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, part]) => {
        const inner = normal(part, name);
        return [name, SETS.has(name) && Array.isArray(inner) ? inner.toSorted() : inner];
      }),
  );
}

/** In an order that neither side chose. */
function unordered(part: unknown): unknown {
  if (!Array.isArray(part)) return part;
  return part.map((each) => JSON.stringify(each)).toSorted();
}

type Case = (operation: Pick<Operation, 'action' | 'input'>, ours: Answer, local: Answer) => boolean;

function isSameBut(parts: readonly string[], ours: Answer, local: Answer): boolean {
  const rest = ({ error, body }: Answer) => ({
    error,
    body: Object.fromEntries(
      Object.entries(body)
        .filter(([name]) => !parts.includes(name))
        .map(([name, part]) => [name, name === 'Responses' ? JSON.stringify(part).length : unordered(part)]),
    ),
  });
  return isDeepStrictEqual(rest(ours), rest(local));
}

interface Consumed {
  readonly [part: string]: unknown;
}

function isConsumed(part: unknown): part is Consumed {
  return typeof part === 'object' && part !== null;
}

/** Whether a side charges the table as the other does, and indexes no less. */
function chargesMoreIndexes(ours: Answer, local: Answer): boolean {
  const [a, b] = [ours, local].map(({ body: { ConsumedCapacity: consumed } }) => {
    const one: unknown = Array.isArray(consumed) ? consumed[0] : consumed;
    return isConsumed(one) ? one : {};
  });
  if (!isDeepStrictEqual(a?.['Table'], b?.['Table'])) return false;
  return ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes'].every((kind) => {
    const [fewer, more] = [a?.[kind] ?? {}, b?.[kind] ?? {}];
    return Object.entries(fewer).every(
      ([name, part]) => isConsumed(more) && capacityOf(more[name]) >= capacityOf(part),
    );
  });
}

function capacityOf(part: unknown): number {
  return isConsumed(part) ? Number(part['CapacityUnits']) : 0;
}

const CAPACITY = ['ConsumedCapacity'];
const isUpdatedOnly = (values: unknown): boolean => values === 'UPDATED_OLD' || values === 'UPDATED_NEW';

/** Where DynamoDB Local is wrong by the documentation of AWS, or by what AWS was seen to answer. */
export const LISTED: readonly (readonly [reason: string, isSo: Case])[] = [
  [
    'a read that finds nothing is free (developer guide, "DynamoDB read operations": half a unit)',
    ({ action }, ours, local) =>
      (action === 'Query' || action === 'Scan') &&
      ours.body['ScannedCount'] === 0 &&
      isSameBut(CAPACITY, ours, local),
  ],
  [
    'an item of a batch that does not exist is free (the same)',
    ({ action }, ours, local) => action === 'BatchGetItem' && isSameBut(CAPACITY, ours, local),
  ],
  [
    'an update without an expression fails inside where it is to return what it updated',
    ({ action, input }, ours, local) =>
      action === 'UpdateItem' &&
      input['UpdateExpression'] === undefined &&
      isUpdatedOnly(input['ReturnValues']) &&
      local.error === 'InternalFailure' &&
      ours.error === undefined,
  ],
  [
    'a scan filters an index by what the index does not hold (AWS: it is missing there)',
    ({ action, input }, ours, local) =>
      action === 'Scan' &&
      input['IndexName'] !== undefined &&
      input['FilterExpression'] !== undefined &&
      isSameBut(['Items', 'Count', ...CAPACITY], ours, local),
  ],
  [
    'a scan of a local index fetches from its table for free (developer guide, "Local Secondary Indexes")',
    ({ action, input }, ours, local) =>
      action === 'Scan' && String(input['IndexName']).startsWith('l') && isSameBut(CAPACITY, ours, local),
  ],
  [
    'a read of an index costs the whole items (developer guide, "Global Secondary Indexes": what it projects)',
    ({ input }, ours, local) =>
      input['IndexName'] !== undefined &&
      capacityOf(local.body['ConsumedCapacity']) > capacityOf(ours.body['ConsumedCapacity']) &&
      isSameBut(CAPACITY, ours, local),
  ],
  [
    'a limit that ends a page with the last item of a range is no end of a page (AWS: it is)',
    ({ action, input }, ours, local) =>
      action === 'Query' &&
      ours.body['ScannedCount'] === input['Limit'] &&
      isSameBut(['LastEvaluatedKey'], ours, local),
  ],
  [
    'a condition is looked at before what is wrong with an update',
    ({ action }, ours, local) =>
      action === 'UpdateItem' &&
      ours.error === 'ValidationException' &&
      local.error === 'ConditionalCheckFailedException',
  ],
  [
    'a write charges an index that holds the item neither before nor after (developer guide: nothing is written)',
    ({ action }, ours, local) =>
      ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].includes(action) &&
      chargesMoreIndexes(ours, local) &&
      isSameBut(CAPACITY, ours, local),
  ],
  [
    'a delete costs more in a batch than alone',
    ({ action, input }, ours, local) =>
      action === 'BatchWriteItem' &&
      JSON.stringify(input).includes('DeleteRequest') &&
      isSameBut(CAPACITY, ours, local),
  ],
  [
    'an update may give a key of an index any type and any size (developer guide, "Constraints")',
    ({ action }, ours, local) =>
      action === 'UpdateItem' &&
      local.error === undefined &&
      /index key|size limit/i.test(ours.message ?? ''),
  ],
  [
    'the megabyte of a page counts what the filter lets through (developer guide: what is read)',
    ({ input }, ours, local) =>
      input['FilterExpression'] !== undefined &&
      local.error === undefined &&
      Number(ours.body['ScannedCount']) < Number(local.body['ScannedCount']),
  ],
  [
    'where several entries have one key, and in a scan, a page has others (no order is documented)',
    ({ action, input }, ours, local) =>
      [input['Limit'], input['ExclusiveStartKey'], ours.body['LastEvaluatedKey']].some(Boolean) &&
      (action === 'Scan' || input['IndexName'] !== undefined) &&
      ours.error === local.error,
  ],
  [
    'of a batch beyond 16 MB others are left (no order is documented)',
    ({ action }, ours, local) =>
      action === 'BatchGetItem' &&
      [ours, local].every(({ body }) => Object.keys(body['UnprocessedKeys'] ?? {}).length > 0),
  ],
  [
    'what was updated within an attribute is answered as the whole attribute',
    ({ action, input }, ours, local) =>
      action === 'UpdateItem' &&
      isUpdatedOnly(input['ReturnValues']) &&
      /[.[]/.test(String(input['UpdateExpression'])) &&
      isSameBut(['Attributes'], ours, local),
  ],
];

/** Undefined for answers that agree, the reason of a listed difference, or `unlisted`. */
export function differenceOf(
  operation: Pick<Operation, 'action' | 'input'>,
  ours: Answer,
  local: Answer,
): string | undefined {
  const [a, b] = [ours, local].map(({ error, body }) => ({
    error,
    body: Object.fromEntries(
      Object.entries(body).map(([name, part]) => {
        if (name === 'Responses' && typeof part === 'object' && part !== null) {
          return [name, Object.values(part).map(unordered)];
        }
        const isUnordered = operation.action === 'Scan' || operation.input['IndexName'] !== undefined;
        return [name, name === 'Items' && isUnordered ? unordered(part) : part];
      }),
    ),
  }));
  if (isDeepStrictEqual(a, b)) return undefined;
  return LISTED.find(([, isSo]) => isSo(operation, ours, local))?.[0] ?? 'unlisted';
}
