import { isHeld, projection, type Index, type Table } from './table.ts';
import { canonicalText, itemBytes, type Item } from './value.ts';

/*
 * On-demand capacity. Sources: Amazon DynamoDB developer guide, "DynamoDB read and write operations", "DynamoDB item
 * sizes and formats", and "Write capacity units" of both kinds of secondary indexes.
 */

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;

/** In units, of one item or one page of a query. */
export interface ConsumedCapacity {
  readonly kind: 'read' | 'write';
  readonly tableName: string;
  readonly tableUnits: number;
  readonly indexes: readonly {
    readonly indexName: string;
    readonly scope: Index['scope'];
    readonly units: number;
  }[];
}

export function writeCapacity(
  table: Table,
  before: Item | undefined,
  after: Item | undefined,
): ConsumedCapacity {
  const indexes = table.indexes.flatMap((index) => {
    const units = indexWriteUnits(index, entryOf(index, before), entryOf(index, after));
    return units === 0 ? [] : [{ indexName: index.name, scope: index.scope, units }];
  });
  return { ...refusedWriteCapacity(table.name, before, after), indexes };
}

/** A refused write consumes what it would have, as far as its items are known, but nothing on an index. */
export function refusedWriteCapacity(
  tableName: string,
  existing: Item | undefined,
  wanted: Item | undefined,
): ConsumedCapacity {
  const tableUnits = Math.max(writeUnits(existing), writeUnits(wanted));
  return { kind: 'write', tableName, tableUnits, indexes: [] };
}

/** An item that does not exist consumes as much as a small one. */
export function readCapacity(
  tableName: string,
  item: Item | undefined,
  isConsistent: boolean,
): ConsumedCapacity {
  const tableUnits = readUnits(item === undefined ? 0 : itemBytes(item), isConsistent);
  return { kind: 'read', tableName, tableUnits, indexes: [] };
}

function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) * (isConsistent ? 1 : 0.5);
}

/** A page that reads nothing consumes as much as one small item. */
export function pageCapacity(page: {
  readonly tableName: string;
  readonly index: Index | undefined;
  readonly bytes: number;
  /** Sizes of the items that a local index fetched from its table. */
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

export function capacityAnswer(consumed: readonly ConsumedCapacity[], isDetailed: boolean): readonly Item[] {
  return [...groupedBy(consumed, ({ tableName }) => tableName)].map(([TableName, parts]) => {
    const tableUnits = sum(parts.map((part) => part.tableUnits));
    const indexes = parts.flatMap((part) => part.indexes);
    const CapacityUnits = tableUnits + sum(indexes.map(({ units }) => units));
    if (!isDetailed) return { TableName, CapacityUnits };
    const details = SCOPES.flatMap(([scope, name]) => {
      const ofScope = indexes.filter((index) => index.scope === scope);
      if (ofScope.length === 0) return [];
      const byName = [...groupedBy(ofScope, ({ indexName }) => indexName)].map(
        ([indexName, entries]) =>
          [indexName, { CapacityUnits: sum(entries.map(({ units }) => units)) }] as const,
      );
      return [[name, Object.fromEntries(byName)] as const];
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

function groupedBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, readonly T[]> {
  const keys = new Set(values.map(keyOf));
  return new Map([...keys].map((key) => [key, values.filter((value) => keyOf(value) === key)]));
}

function sum(units: readonly number[]): number {
  return units.reduce((total, each) => total + each, 0);
}

function writeUnits(item: Item | undefined): number {
  return item === undefined ? 1 : Math.max(1, Math.ceil(itemBytes(item) / WRITE_UNIT_BYTES));
}

function entryOf(index: Index, item: Item | undefined): Item | undefined {
  return item !== undefined && isHeld(index, item) ? projection(index, item) : undefined;
}

function indexWriteUnits(index: Index, before: Item | undefined, after: Item | undefined): number {
  if (before === undefined) return after === undefined ? 0 : writeUnits(after);
  if (after === undefined) return writeUnits(before);
  const keyOf = (entry: Item): string => canonicalText(index.keys.map(({ name }) => entry[name] ?? null));
  // An entry moves as a delete and a put.
  if (keyOf(before) !== keyOf(after)) return writeUnits(before) + writeUnits(after);
  if (canonicalText(before) === canonicalText(after)) return 0;
  return Math.max(writeUnits(before), writeUnits(after));
}
