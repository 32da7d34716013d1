import { pageCapacity } from './capacity.ts';
import { holds, type Condition } from './condition.ts';
import type { OnConsumed, ReadRequest } from './items.ts';
import { checkKey, checkKeyCondition } from './keys.ts';
import { validationError } from './refusal.ts';
import {
  isWithin,
  keyRange,
  WHOLE_PARTITION,
  type Entry,
  type Index,
  type Key,
  type KeyRange,
  type Table,
} from './table.ts';
import { areEqual, contentOf, itemBytes, pickedAt, type Item, type Value } from './value.ts';

export interface PageRequest extends ReadRequest {
  readonly indexName: string | undefined;
  readonly select: string | undefined;
  readonly filter: Condition | undefined;
  readonly filterNames: readonly string[];
  readonly filterParameter: string;
  readonly limit: number | undefined;
  readonly startKey: Item | undefined;
}

export interface KeyCondition {
  readonly ComparisonOperator: string;
  readonly AttributeValueList: readonly Value[];
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
export function query(table: Table, request: QueryRequest, onConsumed: OnConsumed): Item {
  const view = viewOf(table, request);
  const { keyConditions, isForward, startKey } = request;
  const [partition, range] = conditionsOn(view, keyConditions);
  if (startKey !== undefined) {
    const [hash, sort] = view.keys;
    checkStartKey(view, startKey);
    if (!isWithin(range, startKey[sort?.name ?? ''])) {
      throw validationError('The provided starting key does not match the range key predicate');
    }
    if (!areEqual(startKey[hash?.name ?? ''], partition)) {
      throw validationError(
        'The provided starting key is outside query boundaries based on provided conditions',
      );
    }
  }
  checkFilter(view, request);
  checkProjection(view, request);
  const entries = (view.index ?? table).entries.inPartition(partition, range, isForward, startKey);
  return pageOf(view, request, entries, onConsumed);
}

export function scan(table: Table, request: ScanRequest, onConsumed: OnConsumed): Item {
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

interface View {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly keys: readonly Key[];
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
): readonly [partition: Value, range: KeyRange] {
  const count = Object.keys(conditions).length;
  if (keys.length === 1 && count > 1) throw validationError('Query key condition not supported');
  let [partition, range]: [Value, KeyRange] = [null, WHOLE_PARTITION];
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

function checkStartKey({ table, index, allKeys }: View, startKey: Item): void {
  const isOfKeys =
    Object.keys(startKey).length === allKeys.length && allKeys.every(({ name }) => name in startKey);
  if (!isOfKeys) throw validationError('The provided starting key is invalid');
  if (allKeys.some(({ name, type }) => contentOf(startKey[name], type) === undefined)) {
    throw validationError(
      'The provided starting key is invalid: The provided key element does not match the schema',
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

function checkFilter({ keys, index }: View, { filterNames, filterParameter }: PageRequest): void {
  const key = keys.find(({ name }) => filterNames.includes(name));
  if (key !== undefined) {
    throw validationError(
      `${filterParameter} can only contain non-primary key attributes: Primary key attribute: ${key.name}`,
    );
  }
  const missing = index === undefined ? [] : unprojected(index, filterNames);
  if (missing.length === 0) return;
  throw validationError(
    `One or more parameter values were invalid: Secondary index ${index?.name} does not project one or more filter attributes: [${missing.join(', ')}]`,
  );
}

function unprojected(index: Index, names: readonly string[]): readonly string[] {
  const { projected } = index;
  return projected === undefined ? [] : [...new Set(names)].filter((name) => !projected.has(name));
}

/** A global index cannot fetch other attributes from its table. */
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
): Item {
  const { limit = Infinity, filter, paths, select } = request;
  const names = (paths ?? []).map(([name]) => String(name));
  const isFetched =
    index !== undefined &&
    (unprojected(index, names).length > 0 || (select === 'ALL_ATTRIBUTES' && index.projected !== undefined));
  const items: Item[] = [];
  const fetchedBytes: number[] = [];
  let scanned = 0;
  let entryBytes = 0;
  let bytes = 0;
  let last: Entry | undefined;
  for (const entry of entries) {
    const item = isFetched ? entry.whole : entry.item;
    const size = isFetched ? itemBytes(item) : entry.bytes;
    scanned += 1;
    entryBytes += entry.bytes;
    bytes += size;
    if (isFetched) fetchedBytes.push(size);
    if (filter === undefined || holds(filter, item)) items.push(paths ? pickedAt(item, paths) : item);
    if (scanned < limit && bytes < MAXIMUM_PAGE_BYTES) continue;
    last = entry;
    break;
  }
  const { isConsistent } = request;
  onConsumed(pageCapacity({ tableName: table.name, index, bytes: entryBytes, fetchedBytes, isConsistent }));
  const lastKey = (whole: Item): Item =>
    Object.fromEntries(allKeys.map(({ name }) => [name, whole[name] ?? null]));
  return {
    ...(select === 'COUNT' ? {} : { Items: items }),
    Count: items.length,
    ScannedCount: scanned,
    ...(last === undefined ? {} : { LastEvaluatedKey: lastKey(last.whole) }),
  };
}
