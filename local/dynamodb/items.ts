import { readCapacity, refusedWriteCapacity, writeCapacity, type ConsumedCapacity } from './capacity.ts';
import { holds, type Condition } from './condition.ts';
import { checkDepth, checkItemKeys, checkKey, checkUpdatedKeys } from './keys.ts';
import { conditionError, notFoundError, validationError } from './refusal.ts';
import { createTable, exchange, type Table, type TableDescription } from './table.ts';
import { updated, type Update } from './update.ts';
import { itemBytes, pickedAt, type Item, type Path } from './value.ts';

export interface ItemRequest {
  readonly tableName: string;
  readonly condition: Condition | undefined;
  readonly returnValues: string | undefined;
  readonly returnsItemOnRefusal: boolean;
}

export interface ReadRequest {
  readonly tableName: string;
  readonly paths: readonly Path[] | undefined;
  readonly isConsistent: boolean;
}

export type OnConsumed = (consumed: ConsumedCapacity) => void;

export interface ItemChange {
  readonly tableName: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly isExpiry?: true;
}

/** Source: Amazon DynamoDB developer guide, "Constraints in Amazon DynamoDB". */
const MAXIMUM_ITEM_BYTES = 400 * 1024;

export type ItemStore = ReturnType<typeof createItemStore>;

/** @param onChange called after each write, in order */
export function createItemStore(onChange: (change: ItemChange) => void) {
  const tables = new Map<string, Table>();
  const tableOf = (name: string): Table => {
    const table = tables.get(name);
    if (table === undefined) throw notFoundError();
    return table;
  };

  type Change = Omit<ItemChange, 'tableName'>;
  const write = (table: Table, { before, after }: Change, onConsumed: OnConsumed): void => {
    exchange(table, before, after);
    onConsumed(writeCapacity(table, before, after));
    onChange({ tableName: table.name, before, after });
  };

  const replace = (request: ItemRequest, key: Item, after: Item | undefined, onConsumed: OnConsumed) => {
    const table = tableOf(request.tableName);
    const before = table.entries.find(key)?.item;
    checkCondition(request, before, after, onConsumed);
    write(table, { before, after }, onConsumed);
    return attributes(request.returnValues === 'ALL_OLD' ? before : undefined);
  };

  return {
    define: (description: TableDescription): void => {
      if (!tables.has(description.TableName)) tables.set(description.TableName, createTable(description));
    },
    drop: (tableName: string): void => {
      tables.delete(tableName);
    },
    tableOf,
    bytesOf: (tableName: string, key: Item): number => tableOf(tableName).entries.find(key)?.bytes ?? 0,

    /** Time to live: deletes cost nothing. */
    expire: (tableName: string, isExpired: (item: Item) => boolean): void => {
      const table = tableOf(tableName);
      const all = table.entries.all(undefined, { number: 0, of: 1 });
      for (const { item } of [...all].filter((entry) => isExpired(entry.item))) {
        exchange(table, item, undefined);
        onChange({ tableName, before: item, after: undefined, isExpiry: true });
      }
    },

    get: (request: ReadRequest, key: Item, onConsumed: OnConsumed): Item | undefined => {
      const table = tableOf(request.tableName);
      checkKey(table, key);
      const item = table.entries.find(key)?.item;
      onConsumed(readCapacity(request.tableName, item, request.isConsistent));
      return item && request.paths ? pickedAt(item, request.paths) : item;
    },

    put: (request: ItemRequest, item: Item, onConsumed: OnConsumed): Item => {
      checkItemKeys(tableOf(request.tableName), item);
      return replace(request, item, item, onConsumed);
    },

    remove: (request: ItemRequest, key: Item, onConsumed: OnConsumed): Item => {
      checkKey(tableOf(request.tableName), key);
      return replace(request, key, undefined, onConsumed);
    },

    update: (request: ItemRequest, key: Item, updates: readonly Update[], onConsumed: OnConsumed): Item => {
      const table = tableOf(request.tableName);
      checkKey(table, key);
      const before = table.entries.find(key)?.item;
      checkCondition(request, before, undefined, onConsumed);
      const after = updated(before ?? key, updates);
      const paths = updates.map(({ path }) => path);
      checkUpdated(table, after, paths);
      write(table, { before, after }, onConsumed);
      return attributes(returned(request.returnValues, before, after, paths));
    },
  };
}

function checkUpdated(table: Table, after: Item, paths: readonly Path[]): void {
  checkUpdatedKeys(table, after, new Set(paths.map(([name]) => String(name))));
  for (const value of Object.values(after)) checkDepth(value);
  if (itemBytes(after) <= MAXIMUM_ITEM_BYTES) return;
  throw validationError('Item size to update has exceeded the maximum allowed size');
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
  if (values === 'ALL_OLD') return before;
  if (values === 'ALL_NEW') return after;
  if (values === 'UPDATED_OLD') return before && pickedAt(before, paths);
  return values === 'UPDATED_NEW' ? pickedAt(after, paths) : undefined;
}

function attributes(item: Item | undefined): Item {
  return item === undefined || Object.keys(item).length === 0 ? {} : { Attributes: item };
}
