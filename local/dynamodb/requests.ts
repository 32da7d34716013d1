import { checkOperators, legacyCondition, type Condition, type LegacyConditions } from './condition.ts';
import type { ItemRequest, ItemStore, OnConsumed, ReadRequest } from './items.ts';
import { checkDepth, checkItemKeys, checkKey, checkPathsBeside, checkUpdates } from './keys.ts';
import { query, scan, type KeyCondition, type PageRequest } from './pages.ts';
import { validationError } from './refusal.ts';
import type { Table } from './table.ts';
import { checkSense, legacyUpdates, type LegacyUpdates, type Update } from './update.ts';
import { contentOf, type Item, type Path, type Value } from './value.ts';

interface Parsed {
  readonly expression: Condition;
  readonly nestedPaths: object;
  readonly pathHeads: object;
}

interface Projection {
  readonly paths: readonly Path[];
  readonly nestedPaths: object;
}

interface Reading {
  readonly ConsistentRead?: boolean;
  readonly AttributesToGet?: readonly string[];
  readonly ProjectionExpression?: string;
  readonly ExpressionAttributeNames?: Item;
  readonly _projection?: Projection;
}

interface BatchGet extends Reading {
  readonly Keys: readonly Item[];
}

type BatchWrite =
  | { readonly PutRequest: { readonly Item: Item }; readonly DeleteRequest?: undefined }
  | { readonly PutRequest?: undefined; readonly DeleteRequest: { readonly Key: Item } };

export interface CheckedRequest extends Reading {
  readonly TableName?: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ConditionalOperator?: string;
  readonly Expected?: LegacyConditions;
  readonly AttributeUpdates?: LegacyUpdates;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
  readonly RequestItems?: Readonly<Record<string, BatchGet | readonly BatchWrite[]>>;
  readonly ExpressionAttributeValues?: Item;
  readonly IndexName?: string;
  readonly Select?: string;
  readonly Limit?: number;
  readonly KeyConditions?: Readonly<Record<string, KeyCondition>>;
  readonly QueryFilter?: LegacyConditions;
  readonly ScanFilter?: LegacyConditions;
  readonly ScanIndexForward?: boolean;
  readonly ExclusiveStartKey?: Item;
  readonly Segment?: number;
  readonly TotalSegments?: number;
  readonly _condition?: Parsed;
  readonly _filter?: Parsed;
  readonly _updates?: {
    readonly sections: readonly (Update & { readonly attrType?: string | null })[];
    readonly nestedPaths: object;
  };
}

type Run = (request: CheckedRequest, items: ItemStore, onConsumed: OnConsumed) => Item;

const ACTIONS: Readonly<Record<string, Run>> = {
  GetItem: (request, items, onConsumed) => {
    const reading = readingOf(request.TableName ?? '', request, items);
    const item = items.get(reading, request.Key ?? {}, onConsumed);
    return item === undefined ? {} : { Item: item };
  },
  PutItem: (request, items, onConsumed) => {
    const item = request.Item ?? {};
    for (const value of Object.values(item)) checkDepth(value);
    return items.put(itemRequest(request), item, onConsumed);
  },
  DeleteItem: (request, items, onConsumed) => {
    const values = request.ReturnValues ?? 'NONE';
    if (values !== 'ALL_OLD' && values !== 'NONE') {
      throw validationError('ReturnValues can only be ALL_OLD or NONE');
    }
    return items.remove(itemRequest(request), request.Key ?? {}, onConsumed);
  },
  UpdateItem: (request, items, onConsumed) => {
    const table = items.tableOf(request.TableName ?? '');
    const { _updates: expression } = request;
    const updates = expression?.sections ?? legacyUpdates(request.AttributeUpdates);
    checkSense(updates);
    checkKey(table, request.Key ?? {});
    checkUpdates(table, updates);
    checkPathsBeside(table, expression?.nestedPaths ?? {});
    return items.update(itemRequest(request), request.Key ?? {}, updates, onConsumed);
  },
  BatchGetItem: batchGet,
  BatchWriteItem: batchWrite,
  Query: (request, items, onConsumed) => {
    const page = pageRequest(request, items, 'QueryFilter');
    const { KeyConditions: keyConditions = {}, ScanIndexForward: isForward = true } = request;
    return query(items.tableOf(page.tableName), { ...page, keyConditions, isForward }, onConsumed);
  },
  Scan: (request, items, onConsumed) => {
    const page = pageRequest(request, items, 'ScanFilter');
    const segment = { number: request.Segment ?? 0, of: request.TotalSegments ?? 1 };
    return scan(items.tableOf(page.tableName), { ...page, segment }, onConsumed);
  },
};

/** @throws Refusal */
export function runOnItems(
  action: string,
  request: CheckedRequest,
  items: ItemStore,
  onConsumed: OnConsumed,
): Item {
  const run = ACTIONS[action];
  if (run === undefined) throw new Error(`${action} is no action on items.`);
  for (const value of Object.values(request.ExpressionAttributeValues ?? {})) checkDepth(value);
  const { _condition: condition, _filter: filter } = request;
  if (condition) checkOperators('ConditionExpression', condition.expression);
  if (filter) checkOperators('FilterExpression', filter.expression);
  return run(request, items, onConsumed);
}

function itemRequest({ _condition: condition, ...request }: CheckedRequest): ItemRequest {
  return {
    tableName: request.TableName ?? '',
    condition: condition?.expression ?? legacyCondition(request.Expected, request.ConditionalOperator),
    returnValues: request.ReturnValues,
    returnsItemOnRefusal: request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
  };
}

function readingOf(
  tableName: string,
  { _projection: projection, ...reading }: Reading,
  items: ItemStore,
): ReadRequest {
  checkPathsBeside(items.tableOf(tableName), projection?.nestedPaths ?? {});
  return {
    tableName,
    paths: projection?.paths ?? reading.AttributesToGet?.map((name) => [name]),
    isConsistent: reading.ConsistentRead === true,
  };
}

function pageRequest(
  request: CheckedRequest,
  items: ItemStore,
  legacyFilter: 'QueryFilter' | 'ScanFilter',
): PageRequest {
  checkSelect(request);
  const { _filter: filter, [legacyFilter]: filters } = request;
  const reading = readingOf(request.TableName ?? '', request, items);
  checkPathsBeside(items.tableOf(reading.tableName), filter?.nestedPaths ?? {});
  return {
    ...reading,
    indexName: request.IndexName,
    select: request.Select,
    filter: filter?.expression ?? legacyCondition(filters, request.ConditionalOperator),
    filterNames: Object.keys(filter?.pathHeads ?? filters ?? {}),
    filterParameter: filter === undefined ? legacyFilter : 'Filter Expression',
    limit: request.Limit,
    startKey: request.ExclusiveStartKey,
  };
}

/** Source: Amazon DynamoDB API reference, "Query", `Select`. */
function checkSelect({ Select: select, _projection: projection, ...request }: CheckedRequest): void {
  if (select === undefined) return;
  const parameter = projection === undefined ? 'AttributesToGet' : 'ProjectionExpression';
  const isNamed = projection !== undefined || request.AttributesToGet !== undefined;
  if (select === 'SPECIFIC_ATTRIBUTES') {
    if (isNamed) return;
    throw validationError(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  }
  if (isNamed) {
    throw validationError(
      `Cannot specify the ${parameter} when choosing to get ${select === 'COUNT' ? 'only the Count' : select}`,
    );
  }
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && request.IndexName === undefined) {
    throw validationError('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
}

/** Source: Amazon DynamoDB API reference, "BatchGetItem". */
const MAXIMUM_BATCH_BYTES = 16 * 1024 * 1024;

function batchGet(request: CheckedRequest, items: ItemStore, onConsumed: OnConsumed): Item {
  const parts = Object.entries(request.RequestItems ?? {}).flatMap(([tableName, part]) =>
    isReading(part) ? [{ tableName, part, reading: readingOf(tableName, part, items) }] : [],
  );
  for (const { tableName, part } of parts) {
    for (const key of part.Keys) checkKey(items.tableOf(tableName), key);
  }
  const answers: Record<string, Value> = {};
  const unprocessed: Record<string, Value> = {};
  let bytes = 0;
  for (const { tableName, part, reading } of parts) {
    const found: Item[] = [];
    const left: Item[] = [];
    // DynamoDB returns items in any order, so no program may rely on the keys' order.
    for (const key of part.Keys.toReversed()) {
      bytes += items.bytesOf(tableName, key);
      if (bytes > MAXIMUM_BATCH_BYTES) {
        left.push(key);
        continue;
      }
      const item = items.get(reading, key, onConsumed);
      if (item !== undefined) found.push(item);
    }
    answers[tableName] = found;
    const { _projection: _, ...asked } = part;
    if (left.length > 0) unprocessed[tableName] = { ...asked, Keys: left };
  }
  return { Responses: answers, UnprocessedKeys: unprocessed };
}

function isReading(part: BatchGet | readonly BatchWrite[]): part is BatchGet {
  return !Array.isArray(part);
}

/** Each write of a valid batch stands for itself. */
function batchWrite(request: CheckedRequest, items: ItemStore, onConsumed: OnConsumed): Item {
  const writes: (() => void)[] = [];
  for (const [tableName, parts] of Object.entries(request.RequestItems ?? {})) {
    if (isReading(parts)) continue;
    const table = items.tableOf(tableName);
    const seen = new Set<string>();
    const plain = { tableName, condition: undefined, returnValues: undefined, returnsItemOnRefusal: false };
    for (const { PutRequest: put, DeleteRequest: remove } of parts) {
      const key = put?.Item ?? remove?.Key ?? {};
      if (put === undefined) {
        checkKey(table, key);
        writes.push(() => items.remove(plain, key, onConsumed));
      } else {
        for (const value of Object.values(put.Item)) checkDepth(value);
        checkBatchItem(table, put.Item);
        writes.push(() => items.put(plain, put.Item, onConsumed));
      }
      const text = JSON.stringify(table.keys.map(({ name }) => key[name]));
      if (seen.has(text)) throw validationError('Provided list of item keys contains duplicates');
      seen.add(text);
    }
  }
  for (const write of writes) write();
  return { UnprocessedItems: {} };
}

function checkBatchItem(table: Table, item: Item): void {
  if (table.keys.some(({ name, type }) => contentOf(item[name], type) === undefined)) {
    throw validationError('The provided key element does not match the schema');
  }
  checkItemKeys(table, item);
}
