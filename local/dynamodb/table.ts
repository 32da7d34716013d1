import { createHash } from 'node:crypto';
import { itemBytes, orderOf, type Item, type Value } from './value.ts';

export interface Key {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}

export interface Index {
  readonly name: string;
  readonly scope: 'local' | 'global';
  readonly keys: readonly Key[];
  /** Includes all keys. Undefined projects everything. */
  readonly projected: ReadonlySet<string> | undefined;
  readonly entries: KeyedEntries;
}

export interface Table {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly entries: KeyedEntries;
  readonly indexes: readonly Index[];
}

export interface Entry {
  readonly order: string;
  readonly item: Item;
  readonly bytes: number;
  readonly whole: Item;
}

/** Sort-key orders, from inclusive, to exclusive. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

export interface TableDescription {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: Key['type'];
  }[];
  readonly KeySchema: readonly { readonly AttributeName: string }[];
  readonly LocalSecondaryIndexes?: readonly IndexDescription[];
  readonly GlobalSecondaryIndexes?: readonly IndexDescription[];
}

interface IndexDescription {
  readonly IndexName: string;
  readonly KeySchema: readonly { readonly AttributeName: string }[];
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
}

export function createTable(description: TableDescription): Table {
  const types = new Map(
    description.AttributeDefinitions.map(({ AttributeName, AttributeType }) => [
      AttributeName,
      AttributeType,
    ]),
  );
  const keysOf = (schema: TableDescription['KeySchema']): readonly Key[] =>
    schema.map(({ AttributeName: name }) => ({ name, type: types.get(name) ?? 'S' }));
  const keys = keysOf(description.KeySchema);
  const indexOf = (scope: Index['scope'], { IndexName, KeySchema, Projection }: IndexDescription): Index => {
    const ownKeys = keysOf(KeySchema);
    const names = [...ownKeys, ...keys].map(({ name }) => name);
    return {
      name: IndexName,
      scope,
      keys: ownKeys,
      projected:
        Projection.ProjectionType === 'ALL'
          ? undefined
          : new Set([...names, ...(Projection.NonKeyAttributes ?? [])]),
      entries: createEntries([...ownKeys, ...keys]),
    };
  };
  return {
    name: description.TableName,
    keys,
    entries: createEntries(keys),
    indexes: [
      ...(description.LocalSecondaryIndexes ?? []).map((index) => indexOf('local', index)),
      ...(description.GlobalSecondaryIndexes ?? []).map((index) => indexOf('global', index)),
    ],
  };
}

export function exchange(table: Table, before: Item | undefined, after: Item | undefined): void {
  for (const index of table.indexes) {
    if (before !== undefined && isHeld(index, before)) index.entries.remove(before);
    if (after !== undefined && isHeld(index, after)) index.entries.put(projection(index, after), after);
  }
  if (after !== undefined) table.entries.put(after, after);
  else if (before !== undefined) table.entries.remove(before);
}

/** An index holds only items that have all its keys. */
export function isHeld({ keys }: Pick<Index, 'keys'>, item: Item): boolean {
  return keys.every(({ name }) => item[name] !== undefined);
}

export function projection({ projected }: Pick<Index, 'projected'>, item: Item): Item {
  if (projected === undefined) return item;
  const held: Record<string, Value> = {};
  for (const name of projected) {
    const value = item[name];
    if (value !== undefined) held[name] = value;
  }
  return held;
}

interface Partition {
  readonly order: string;
  readonly entries: OrderedList<Entry>;
}

export type KeyedEntries = ReturnType<typeof createEntries>;

function createEntries([hash, ...others]: readonly Key[]) {
  const partitions = createOrderedList<Partition>();
  const byId = new Map<string, Partition>();
  const rest = (item: Item): string => others.map(({ name }) => element(idOf(item[name]))).join('');
  const partitionOf = (item: Item): string => idOf(item[hash?.name ?? '']);

  return {
    put: (item: Item, whole: Item): void => {
      const id = partitionOf(whole);
      let partition = byId.get(id);
      if (partition === undefined) {
        partition = { order: placeOf(id), entries: createOrderedList<Entry>() };
        byId.set(id, partition);
        partitions.put(partition);
      }
      partition.entries.put({ order: rest(whole), item, bytes: itemBytes(item), whole });
    },
    remove: (item: Item): void => {
      const id = partitionOf(item);
      const partition = byId.get(id);
      partition?.entries.remove(rest(item));
      if (partition === undefined || !partition.entries.isEmpty()) return;
      byId.delete(id);
      partitions.remove(partition.order);
    },
    find: (key: Item): Entry | undefined => byId.get(partitionOf(key))?.entries.find(rest(key)),
    /** @param after the keys that the walk starts behind */
    inPartition: (
      value: Value | undefined,
      { from, to }: KeyRange,
      isForward: boolean,
      after: Item | undefined,
    ): Iterable<Entry> => {
      const start = after && rest(after);
      const range: KeyRange = {
        from: start !== undefined && isForward ? above(start) : from,
        to: start !== undefined && !isForward ? start : to,
      };
      return byId.get(idOf(value))?.entries.between(range, isForward) ?? [];
    },
    all: function* (
      after: Item | undefined,
      segment: { readonly number: number; readonly of: number },
    ): Iterable<Entry> {
      const start = after && placeOf(partitionOf(after));
      for (const { order, entries } of partitions.between({ from: start ?? '', to: LAST }, true)) {
        if (segmentOf(order, segment.of) !== segment.number) continue;
        const from = after !== undefined && order === start ? above(rest(after)) : '';
        yield* entries.between({ from, to: LAST }, true);
      }
    },
    isInSegment: (key: Item, segment: { readonly number: number; readonly of: number }): boolean =>
      segmentOf(placeOf(partitionOf(key)), segment.of) === segment.number,
  };
}

function idOf(value: Value | undefined): string {
  return orderOf(value) ?? '';
}

function placeOf(id: string): string {
  return createHash('md5').update(id).digest('hex') + id;
}

function segmentOf(place: string, count: number): number {
  return Math.floor((parseInt(place.slice(0, 8), 16) * count) / 2 ** 32);
}

/** Above every order: orders consist of bytes. */
const LAST = '\uffff';
const above = (order: string): string => `${order}\0`;

/** The end mark sorts a part before every longer one that begins with it. */
function element(order: string): string {
  return `${escaped(order)}\0\x01`;
}

function escaped(order: string): string {
  return order.includes('\0') ? order.replaceAll('\0', '\0\xff') : order;
}

/** @param operator a legacy comparison operator, as a condition on a sort key may have */
export function keyRange(operator: string, [first, second]: readonly Value[]): KeyRange {
  const order = escaped(idOf(first));
  const [start, end] = [`${order}\0\x01`, `${order}\0\x02`];
  switch (operator) {
    case 'EQ':
      return { from: start, to: end };
    case 'LT':
      return { from: '', to: start };
    case 'LE':
      return { from: '', to: end };
    case 'GT':
      return { from: end, to: LAST };
    case 'GE':
      return { from: start, to: LAST };
    case 'BETWEEN':
      return { from: start, to: `${escaped(idOf(second))}\0\x02` };
    case 'BEGINS_WITH':
      return { from: order, to: order + LAST };
    default:
      throw new Error(`${operator} is no condition of a key.`);
  }
}

export const WHOLE_PARTITION: KeyRange = { from: '', to: LAST };

export function isWithin({ from, to }: KeyRange, sortKey: Value | undefined): boolean {
  const order = element(idOf(sortKey));
  return order >= from && order < to;
}

type OrderedList<T> = ReturnType<typeof createOrderedList<T & { readonly order: string }>>;

const CHUNK_LENGTH = 512;

/** Sorted chunks, so that a put among many moves few. */
function createOrderedList<T extends { readonly order: string }>() {
  const chunks: T[][] = [];
  const positionOf = (order: string): readonly [chunk: number, place: number] => {
    const chunk = firstIndex(chunks.length, (at) => (chunks[at]?.at(-1)?.order ?? LAST) >= order);
    const list = chunks[chunk] ?? [];
    return [chunk, firstIndex(list.length, (at) => (list[at]?.order ?? LAST) >= order)];
  };
  return {
    isEmpty: (): boolean => chunks.length === 0,
    find: (order: string): T | undefined => {
      const [chunk, place] = positionOf(order);
      const found = chunks[chunk]?.[place];
      return found?.order === order ? found : undefined;
    },
    put: (entry: T): void => {
      const [at, place] = positionOf(entry.order);
      const chunk = Math.min(at, Math.max(0, chunks.length - 1));
      const list = (chunks[chunk] ??= []);
      const index = at > chunk ? list.length : place;
      list.splice(index, list[index]?.order === entry.order ? 1 : 0, entry);
      if (list.length > CHUNK_LENGTH) chunks.splice(chunk + 1, 0, list.splice(CHUNK_LENGTH / 2));
    },
    remove: (order: string): void => {
      const [chunk, place] = positionOf(order);
      const list = chunks[chunk];
      if (list?.[place]?.order !== order) return;
      list.splice(place, 1);
      if (list.length === 0) chunks.splice(chunk, 1);
    },
    between: function* ({ from, to }: KeyRange, isForward: boolean): Iterable<T> {
      let [chunk, place] = positionOf(isForward ? from : to);
      const step = isForward ? 1 : -1;
      if (!isForward) place -= 1;
      for (;;) {
        const list = chunks[chunk];
        const entry = list?.[place];
        if (entry !== undefined) {
          if (isForward ? entry.order >= to : entry.order < from) return;
          yield entry;
          place += step;
          continue;
        }
        chunk += step;
        const next = chunks[chunk];
        if (next === undefined) return;
        place = isForward ? 0 : next.length - 1;
      }
    },
  };
}

function firstIndex(length: number, isSo: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
