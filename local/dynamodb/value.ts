import { isJsonList, isJsonObject, type Json } from '../template/index.ts';
import { numberBytes, numberOrder } from './number.ts';

export type Value = Json;

export type Item = { readonly [name: string]: Value };

/** Attribute names and list indexes. */
export type Path = readonly (string | number)[];

export function typed(value: Value | undefined): readonly [type: string, content: Json] | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const type in value) return [type, value[type] ?? null];
  return undefined;
}

export function contentOf(value: Value | undefined, type: string): Json | undefined {
  return isJsonObject(value) ? value[type] : undefined;
}

export function listIn(value: Value | undefined, type = 'L'): readonly Value[] | undefined {
  const content = contentOf(value, type);
  return isJsonList(content) ? content : undefined;
}

export function mapIn(value: Value | undefined): Item | undefined {
  const content = contentOf(value, 'M');
  return isJsonObject(content) ? content : undefined;
}

export function valueAt(item: Item, path: Path): Value | undefined {
  let value: Value | undefined = item[String(path[0])];
  for (let place = 1; place < path.length && value !== undefined; place += 1) {
    const step = path[place] ?? '';
    value = typeof step === 'number' ? listIn(value)?.[step] : mapIn(value)?.[step];
  }
  return value;
}

/** Elements of lists move up. */
export function pickedAt(item: Item, paths: readonly Path[]): Item {
  const picked: Record<string, Value> = {};
  const nested = new Map<string, Path[]>();
  for (const path of paths) {
    const name = String(path[0]);
    if (path.length > 1) nested.set(name, [...(nested.get(name) ?? []), path.slice(1)]);
    else if (item[name] !== undefined) picked[name] = item[name];
  }
  for (const [name, rests] of nested) {
    const part = partOf(item[name], rests);
    if (part !== undefined) picked[name] = part;
  }
  return picked;
}

function partOf(value: Value | undefined, paths: readonly Path[]): Value | undefined {
  if (value === undefined || paths.some((path) => path.length === 0)) return value;
  const steps = [...new Set(paths.map(([step]) => step ?? ''))];
  const partAt = (step: string | number, child: Value | undefined): Value | undefined =>
    partOf(
      child,
      paths.filter(([first]) => first === step).map((path) => path.slice(1)),
    );
  const [list, map] = [listIn(value), mapIn(value)];
  if (list !== undefined) {
    const places = steps.filter((step) => typeof step === 'number').toSorted((a, b) => a - b);
    const parts = places.flatMap((place) => partAt(place, list[place]) ?? []);
    return parts.length === 0 ? undefined : { L: parts };
  }
  if (map === undefined) return undefined;
  const parts = steps.flatMap((step) => {
    const part = partAt(step, map[step]);
    return part === undefined ? [] : [[step, part] as const];
  });
  return parts.length === 0 ? undefined : { M: Object.fromEntries(parts) };
}

/** A missing value equals nothing, not even another missing one. */
export function areEqual(left: Value | undefined, right: Value | undefined): boolean {
  const [a, b] = [typed(left), typed(right)];
  if (a === undefined || b === undefined || a[0] !== b[0]) return false;
  if (typeof a[1] !== 'object') return a[1] === b[1];
  return canonicalText(left) === canonicalText(right);
}

/** Equal for equal values, in whatever order attributes and set elements come. */
export function canonicalText(value: Value | undefined): string {
  return JSON.stringify(canonical(value ?? null));
}

const SETS = new Set(['SS', 'NS', 'BS']);

function canonical(value: Json): Json {
  if (isJsonList(value)) return value.map(canonical);
  if (!isJsonObject(value)) return value;
  return Object.entries(value)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, entry]) => [
      name,
      SETS.has(name) && isJsonList(entry) ? entry.map(String).toSorted() : canonical(entry),
    ]);
}

/** Text that sorts as values of one type do. Undefined for a type without an order. */
export function orderOf(value: Value | undefined): string | undefined {
  const [type, content] = typed(value) ?? [];
  if (typeof content !== 'string') return undefined;
  if (type === 'N') return numberOrder(content);
  if (type === 'B') return Buffer.from(content, 'base64').toString('latin1');
  if (type !== 'S') return undefined;
  // ASCII is its own UTF-8.
  return /^[\0-\x7f]*$/.test(content) ? content : Buffer.from(content).toString('latin1');
}

export function depthOf(value: Value): number {
  const [, content] = typed(value) ?? [];
  const children = isJsonList(content) ? content : isJsonObject(content) ? Object.values(content) : [];
  return children.reduce<number>((deepest, child) => Math.max(deepest, 1 + depthOf(child)), 1);
}

const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

/** Names and values in UTF-8; numbers approximately. Source: developer guide, "DynamoDB item sizes and formats". */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

function valueBytes(value: Value): number {
  const [type = '', content = ''] = typed(value) ?? [];
  if (type === 'M' && isJsonObject(content)) {
    return COLLECTION_BYTES + ELEMENT_BYTES * Object.keys(content).length + itemBytes(content);
  }
  if (!isJsonList(content)) return scalarBytes(type, content);
  const sum = (bytesOf: (element: Value) => number): number =>
    content.reduce<number>((bytes, element) => bytes + bytesOf(element), 0);
  if (type === 'L') return COLLECTION_BYTES + sum((element) => ELEMENT_BYTES + valueBytes(element));
  return sum((element) => scalarBytes(type.charAt(0), element));
}

function scalarBytes(type: string, content: Json): number {
  // NULL and BOOL.
  if (typeof content !== 'string') return 1;
  if (type === 'N') return numberBytes(content);
  return type === 'B' ? Buffer.byteLength(content, 'base64') : Buffer.byteLength(content);
}
