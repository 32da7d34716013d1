import type { JsonObject } from '../template/index.ts';
import { canonicalItem, itemBytes, type Item } from './item.ts';
import { isHeld, projection, type Index, type Table } from './table.ts';

/*
 * What requests to DynamoDB consume on demand. Sources: Amazon DynamoDB developer guide, "DynamoDB read and write
 * operations", "DynamoDB item sizes and formats", and "Write capacity units" of both kinds of secondary indexes.
 */

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/** What one item, or one page of a query, consumed: units of the table itself and of each index that it touched. */
export interface ConsumedCapacity {
  readonly kind: 'read' | 'write';
  readonly tableName: string;
  readonly tableUnits: number;
  readonly indexes: readonly {
    readonly indexName: string;
    readonly scope: 'local' | 'global';
    readonly units: number;
  }[];
}

/** A write: units of 1 KB of the larger of the item before and after it, and what it changes in indexes. */
export function writeCapacity(
  table: Table,
  before: Item | undefined,
  after: Item | undefined,
): ConsumedCapacity {
  const indexes = table.indexes.flatMap((index) => {
    const units = indexWriteUnits(index, entryOf(index, before), entryOf(index, after));
    return units === 0 ? [] : [{ indexName: index.name, scope: index.scope, units }];
  });
  return {
    kind: 'write',
    tableName: table.name,
    tableUnits: Math.max(writeUnits(before), writeUnits(after)),
    indexes,
  };
}

/** A write whose condition does not hold consumes what it would have, as far as its items are known; no index. */
export function refusedWriteCapacity(
  tableName: string,
  existing: Item | undefined,
  wanted: Item | undefined,
): ConsumedCapacity {
  const tableUnits = Math.max(writeUnits(existing), writeUnits(wanted));
  return { kind: 'write', tableName, tableUnits, indexes: [] };
}

/** A read by key: an item that does not exist consumes as much as a small one. */
export function readCapacity(
  tableName: string,
  item: Item | undefined,
  isConsistent: boolean,
): ConsumedCapacity {
  return {
    kind: 'read',
    tableName,
    tableUnits: readUnits(item === undefined ? 0 : itemBytes(item), isConsistent),
    indexes: [],
  };
}

/** @param bytes of all items that were evaluated, whatever of them is answered */
function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);
}

/** What a page of a query or scan consumed: one that passes over nothing consumes as much as over a small item. */
export function pageCapacity(page: {
  readonly tableName: string;
  readonly index: Index | undefined;
  /** The size of all entries it read, including those that it does not return. */
  readonly bytes: number;
  /** Of each item that a local index had to fetch from its table. */
  readonly fetchedBytes: readonly number[];
  readonly isConsistent: boolean;
}): ConsumedCapacity {
  const { tableName, index, isConsistent } = page;
  const units = readUnits(page.bytes, isConsistent);
  if (index === undefined) return { kind: 'read', tableName, tableUnits: units, indexes: [] };
  return {
    kind: 'read',
    tableName,
    tableUnits: sum(page.fetchedBytes.map((bytes) => readUnits(bytes, isConsistent))),
    indexes: [{ indexName: index.name, scope: index.scope, units }],
  };
}

/** `ConsumedCapacity` as AWS answers it, one for each table. */
export function capacityAnswer(
  consumed: readonly ConsumedCapacity[],
  isDetailed: boolean,
): readonly JsonObject[] {
  return [...new Set(consumed.map(({ tableName }) => tableName))].map((TableName) => {
    const parts = consumed.filter(({ tableName }) => tableName === TableName);
    const tableUnits = sum(parts.map((part) => part.tableUnits));
    const indexes = parts.flatMap((part) => part.indexes);
    const CapacityUnits = tableUnits + sum(indexes.map(({ units }) => units));
    if (!isDetailed) return { TableName, CapacityUnits };
    const details = SCOPES.flatMap(([scope, name]) => {
      const ofScope = indexes.filter((index) => index.scope === scope);
      const unitsByName = [...new Set(ofScope.map(({ indexName }) => indexName))].map((indexName) => {
        const units = ofScope.filter((index) => index.indexName === indexName).map((index) => index.units);
        return [indexName, { CapacityUnits: sum(units) }] as const;
      });
      return unitsByName.length === 0 ? [] : [[name, Object.fromEntries(unitsByName)] as const];
    });
    return {
      TableName,
      CapacityUnits,
      Table: { CapacityUnits: tableUnits },
      ...Object.fromEntries(details),
    };
  });
}

const SCOPES = [
  ['local', 'LocalSecondaryIndexes'],
  ['global', 'GlobalSecondaryIndexes'],
] as const;

function sum(units: readonly number[]): number {
  return units.reduce((total, each) => total + each, 0);
}

function writeUnits(item: Item | undefined): number {
  return item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / WRITE_UNIT_BYTES));
}

/** What an index holds of an item, or undefined where it is not in it. */
function entryOf(index: Index, item: Item | undefined): Item | undefined {
  return item !== undefined && isHeld(index, item) ? projection(index, item) : undefined;
}

function indexWriteUnits(index: Index, before: Item | undefined, after: Item | undefined): number {
  if (before === undefined) return after === undefined ? 0 : writeUnits(after);
  if (after === undefined) return writeUnits(before);
  const keyOf = (entry: Item): string =>
    canonicalItem(Object.fromEntries(index.keys.map(({ name }) => [name, entry[name] ?? null])));
  // An entry is moved by deleting it and putting another.
  if (keyOf(before) !== keyOf(after)) return writeUnits(before) + writeUnits(after);
  if (canonicalItem(before) === canonicalItem(after)) return 0;
  return Math.max(writeUnits(before), writeUnits(after));
}
