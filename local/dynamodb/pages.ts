import type { Json, JsonObject } from '../template/index.ts';
import { pageCapacity } from './capacity.ts';
import { holds, type Condition } from './condition.ts';
import { itemBytes, type Item } from './item.ts';
import type { OnConsumed, ReadRequest } from './items.ts';
import { checkKey, checkKeyCondition } from './keys.ts';
import { validationError } from './refusal.ts';
import {
  keyRange,
  WHOLE_PARTITION,
  type Entry,
  type Index,
  type Key,
  type KeyRange,
  type Table,
} from './table.ts';
import { areEqual, contentOf, orderOf, pickedAt } from './value.ts';

export interface PageRequest extends ReadRequest {
  readonly indexName: string | undefined;
  readonly select: string | undefined;
  readonly filter: Condition | undefined;
  /** The attributes that the filter reads. */
  readonly filterNames: readonly string[];
  /** What the refusal of a filter on keys calls it. */
  readonly filterParameter: string;
  readonly limit: number | undefined;
  readonly startKey: Item | undefined;
}

export interface KeyCondition {
  readonly ComparisonOperator: string;
  readonly AttributeValueList: readonly Json[];
}

export interface QueryRequest extends PageRequest {
  readonly keyConditions: Readonly<Record<string, KeyCondition>>;
  readonly isForward: boolean;
}

export interface ScanRequest extends PageRequest {
  readonly segment: { readonly number: number; readonly of: number };
}

/** A page ends with the item that fills it. Source: Amazon DynamoDB developer guide, "Paginating table query results". */
const MAXIMUM_PAGE_BYTES = 1024 * 1024;

/** @throws Refusal */
export function query(table: Table, request: QueryRequest, onConsumed: OnConsumed): JsonObject {
  const view = viewOf(table, request);
  const [hash, sort] = view.keys;
  const { keyConditions, isForward, startKey } = request;
  const [partition, range] = conditionsOn(view, keyConditions);
  if (startKey !== undefined) {
    checkStartKey(view, startKey);
    const isWithin = isBetween(orderOf(startKey[sort?.name ?? '']), sort && keyConditions[sort.name]);
    if (!isWithin) throw validationError('The provided starting key does not match the range key predicate');
    if (!areEqual(startKey[hash?.name ?? ''] ?? null, partition)) {
      throw validationError(
        'The provided starting key is outside query boundaries based on provided conditions',
      );
    }
  }
  for (const { name } of view.keys) {
    if (!request.filterNames.includes(name)) continue;
    throw validationError(
      `${request.filterParameter} can only contain non-primary key attributes: Primary key attribute: ${name}`,
    );
  }
  const missing = view.index && unprojected(view.index, request.filterNames);
  if (missing !== undefined && missing.length > 0) {
    throw validationError(
      `One or more parameter values were invalid: Secondary index ${request.indexName} does not project one or more filter attributes: [${missing.join(', ')}]`,
    );
  }
  checkProjection(view, request);
  const entries = (view.index ?? table).entries.inPartition(partition, range, isForward, startKey);
  return pageOf(view, request, entries, onConsumed);
}

/** @throws Refusal */
export function scan(table: Table, request: ScanRequest, onConsumed: OnConsumed): JsonObject {
  const view = viewOf(table, request);
  const { startKey, segment } = request;
  const { entries } = view.index ?? table;
  if (startKey !== undefined) {
    checkStartKey(view, startKey);
    if (!entries.isInSegment(startKey, segment)) {
      throw validationError(
        `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${segment.of} Segment: ${segment.number}`,
      );
    }
  }
  checkProjection(view, request);
  return pageOf(view, request, entries.all(startKey, segment), onConsumed);
}

/** A table as one of its indexes shows it, or the table itself. */
interface View {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly keys: readonly Key[];
  /** Of the table and of the index. */
  readonly allKeys: readonly Key[];
}

function viewOf(table: Table, { indexName, isConsistent }: PageRequest): View {
  if (indexName === undefined) return { table, index: undefined, keys: table.keys, allKeys: table.keys };
  const index = table.indexes.find(({ name }) => name === indexName);
  if (index === undefined) {
    throw validationError(`The table does not have the specified index: ${indexName}`);
  }
  if (index.scope === 'global' && isConsistent) {
    throw validationError('Consistent reads are not supported on global secondary indexes');
  }
  const others = index.keys.filter(({ name }) => !table.keys.some((key) => key.name === name));
  return { table, index, keys: index.keys, allKeys: [...table.keys, ...others] };
}

function conditionsOn(
  { keys, index }: View,
  conditions: QueryRequest['keyConditions'],
): readonly [partition: Json, range: KeyRange] {
  const count = Object.keys(conditions).length;
  if (keys.length === 1 && count > 1) throw validationError('Query key condition not supported');
  let [partition, range]: [Json, KeyRange] = [null, WHOLE_PARTITION];
  for (const [place, key] of keys.entries()) {
    const condition = conditions[key.name];
    if (condition === undefined) {
      if (place > 0 && count < 2) continue;
      throw validationError(`Query condition missed key schema element: ${key.name}`);
    }
    const { ComparisonOperator: operator, AttributeValueList: values } = condition;
    if (['NULL', 'NOT_NULL', 'NE', 'CONTAINS', 'NOT_CONTAINS', 'IN'].includes(operator)) {
      throw validationError('Attempted conditional constraint is not an indexable operation');
    }
    if (values.some((value) => contentOf(value, key.type) === undefined)) {
      throw validationError(
        'One or more parameter values were invalid: Condition parameter type does not match schema type',
      );
    }
    if (place === 0 && operator !== 'EQ') throw validationError('Query key condition not supported');
    for (const value of values) checkKeyCondition(key, value, index, place === 0);
    if (place === 0) partition = values[0] ?? null;
    else range = keyRange(operator, values);
  }
  return [partition, range];
}

/** Whether a start key's sort key lies where the condition on it lets the query look. */
function isBetween(order: string | undefined, condition: KeyCondition | undefined): boolean {
  if (order === undefined || condition === undefined) return true;
  const { ComparisonOperator: operator, AttributeValueList: values } = condition;
  const [first = '', second = ''] = values.map((value) => orderOf(value) ?? '');
  switch (operator) {
    case 'EQ':
      return order === first;
    case 'LT':
      return order < first;
    case 'LE':
      return order <= first;
    case 'GT':
      return order > first;
    case 'GE':
      return order >= first;
    case 'BETWEEN':
      return order >= first && order <= second;
    default:
      return order.startsWith(first);
  }
}

function checkStartKey({ table, index, allKeys }: View, startKey: Item): void {
  const isOfKeys =
    Object.keys(startKey).length === allKeys.length && allKeys.every(({ name }) => name in startKey);
  if (!isOfKeys) throw validationError('The provided starting key is invalid');
  if (allKeys.some(({ name, type }) => contentOf(startKey[name], type) === undefined)) {
    throw validationError(
      `The provided starting key is invalid: The provided key element does not match the schema`,
    );
  }
  try {
    checkKey(table, Object.fromEntries(table.keys.map(({ name }) => [name, startKey[name] ?? null])));
    for (const [place, key] of (index?.keys ?? []).entries()) {
      checkKeyCondition(key, startKey[key.name] ?? null, index, place === 0);
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw validationError(`The provided starting key is invalid: ${message}`);
  }
}

function unprojected(index: Index, names: readonly string[]): readonly string[] {
  const { projected } = index;
  return projected === undefined ? [] : [...new Set(names)].filter((name) => !projected.has(name));
}

/** A global index can't fetch from its table what it does not hold. */
function checkProjection({ index }: View, { select, paths = [] }: PageRequest): void {
  if (index?.scope !== 'global') return;
  if (select === 'ALL_ATTRIBUTES' && index.projected !== undefined) {
    throw validationError(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  }
  const missing = unprojected(
    index,
    paths.map(([name]) => String(name)),
  );
  if (missing.length === 0) return;
  throw validationError(
    `One or more parameter values were invalid: Global secondary index ${index.name} does not project [${missing.join(', ')}]`,
  );
}

function pageOf(
  { table, index, allKeys }: View,
  request: PageRequest,
  entries: Iterable<Entry>,
  onConsumed: OnConsumed,
): JsonObject {
  const { limit = Infinity, filter, paths, select } = request;
  const names = (paths ?? []).map(([name]) => String(name));
  const isFetched =
    index !== undefined &&
    (unprojected(index, names).length > 0 || (select === 'ALL_ATTRIBUTES' && index.projected !== undefined));
  const items: Item[] = [];
  const fetchedBytes: number[] = [];
  let [scanned, entryBytes, bytes]: [number, number, number] = [0, 0, 0];
  let last: Entry | undefined;
  for (const entry of entries) {
    scanned += 1;
    entryBytes += entry.bytes;
    if (isFetched) fetchedBytes.push(itemBytes(entry.whole));
    bytes += isFetched ? itemBytes(entry.whole) : entry.bytes;
    const item = isFetched ? entry.whole : entry.item;
    if (filter === undefined || holds(filter, item)) items.push(paths ? pickedAt(item, paths) : item);
    if (scanned < limit && bytes < MAXIMUM_PAGE_BYTES) continue;
    last = entry;
    break;
  }
  onConsumed(
    pageCapacity({
      tableName: table.name,
      index,
      bytes: entryBytes,
      fetchedBytes,
      isConsistent: request.isConsistent,
    }),
  );
  const lastKey = (whole: Item): Item =>
    Object.fromEntries(allKeys.map(({ name }) => [name, whole[name] ?? null]));
  return {
    ...(select === 'COUNT' ? {} : { Items: items }),
    Count: items.length,
    ScannedCount: scanned,
    ...(last === undefined ? {} : { LastEvaluatedKey: lastKey(last.whole) }),
  };
}
