import type { Json, JsonObject } from '../template/index.ts';
import { readCapacity, refusedWriteCapacity, writeCapacity, type ConsumedCapacity } from './capacity.ts';
import { holds, type Condition } from './condition.ts';
import { itemBytes, MAXIMUM_ITEM_BYTES, type Item, type ItemChange } from './item.ts';
import { checkDepth, checkItemKeys, checkKey, checkUpdatedKeys } from './keys.ts';
import { conditionError, notFoundError, validationError } from './refusal.ts';
import { createTable, exchange, type Table, type TableDescription } from './table.ts';
import { updated, type Update } from './update.ts';
import { pickedAt, type Path } from './value.ts';

/** What a request asks of one item. */
export interface ItemRequest {
  readonly tableName: string;
  readonly condition: Condition | undefined;
  readonly returnValues: string | undefined;
  /** Whether a condition that does not hold is answered with the item. */
  readonly returnsItemOnRefusal: boolean;
}

export interface ReadRequest {
  readonly tableName: string;
  readonly paths: readonly Path[] | undefined;
  readonly isConsistent: boolean;
}

export type OnConsumed = (consumed: ConsumedCapacity) => void;

/** The items of all tables, and what may be done to them one by one. */
export type ItemStore = ReturnType<typeof createItemStore>;

/** @param onChange hears of every write that went through, in their order */
export function createItemStore(onChange: (change: ItemChange) => void) {
  const tables = new Map<string, Table>();
  const tableOf = (name: string): Table => {
    const table = tables.get(name);
    if (table === undefined) throw notFoundError();
    return table;
  };

  const write = (
    table: Table,
    before: Item | undefined,
    after: Item | undefined,
    onConsumed: OnConsumed,
  ): void => {
    exchange(table, before, after);
    onConsumed(writeCapacity(table, before, after));
    onChange({ tableName: table.name, before, after });
  };

  return {
    define: (description: TableDescription): void => {
      if (!tables.has(description.TableName)) tables.set(description.TableName, createTable(description));
    },
    drop: (tableName: string): void => {
      tables.delete(tableName);
    },
    /** @throws Refusal for a table that does not exist */
    tableOf,
    /** The size of an item, or 0 for none. */
    bytesOf: (tableName: string, key: Item): number => tableOf(tableName).entries.find(key)?.bytes ?? 0,

    get: (request: ReadRequest, key: Item, onConsumed: OnConsumed): Item | undefined => {
      const table = tableOf(request.tableName);
      checkKey(table, key);
      const item = table.entries.find(key)?.item;
      onConsumed(readCapacity(request.tableName, item, request.isConsistent));
      return item && request.paths ? pickedAt(item, request.paths) : item;
    },

    put: (request: ItemRequest, item: Item, onConsumed: OnConsumed): JsonObject => {
      const table = tableOf(request.tableName);
      checkItemKeys(table, item);
      const before = table.entries.find(item)?.item;
      checkCondition(request, before, item, onConsumed);
      write(table, before, item, onConsumed);
      return attributes(request.returnValues === 'ALL_OLD' ? before : undefined);
    },

    remove: (request: ItemRequest, key: Item, onConsumed: OnConsumed): JsonObject => {
      const table = tableOf(request.tableName);
      checkKey(table, key);
      const before = table.entries.find(key)?.item;
      checkCondition(request, before, undefined, onConsumed);
      write(table, before, undefined, onConsumed);
      return attributes(request.returnValues === 'ALL_OLD' ? before : undefined);
    },

    update: (
      request: ItemRequest,
      key: Item,
      updates: readonly Update[],
      onConsumed: OnConsumed,
    ): JsonObject => {
      const table = tableOf(request.tableName);
      checkKey(table, key);
      const before = table.entries.find(key)?.item;
      checkCondition(request, before, undefined, onConsumed);
      const after = updated(before ?? key, updates);
      const paths = updates.map(({ path }) => path);
      checkUpdatedKeys(table, after, new Set(paths.map(([name]) => String(name))));
      for (const value of Object.values(after)) checkDepth(value);
      if (itemBytes(after) > MAXIMUM_ITEM_BYTES) {
        throw validationError('Item size to update has exceeded the maximum allowed size');
      }
      write(table, before, after, onConsumed);
      return attributes(returned(request.returnValues, before, after, paths));
    },
  };
}

function checkCondition(
  request: ItemRequest,
  before: Item | undefined,
  wanted: Item | undefined,
  onConsumed: OnConsumed,
): void {
  if (request.condition === undefined || holds(request.condition, before ?? {})) return;
  onConsumed(refusedWriteCapacity(request.tableName, before, wanted));
  throw conditionError(request.returnsItemOnRefusal ? before : undefined);
}

function returned(
  values: string | undefined,
  before: Item | undefined,
  after: Item,
  paths: readonly Path[],
): Item | undefined {
  switch (values) {
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return before && pickedAt(before, paths);
    case 'UPDATED_NEW':
      return pickedAt(after, paths);
    case undefined:
    default:
      return undefined;
  }
}

/** An answer without attributes leaves them out. */
function attributes(item: Item | undefined): JsonObject {
  const isAny = item !== undefined && Object.keys(item).length > 0;
  const Attributes: Json | undefined = isAny ? item : undefined;
  return Attributes === undefined ? {} : { Attributes };
}
