import { isJsonList, isJsonObject, type Json } from '../template/index.ts';
import { canonicalItem, type Item } from './item.ts';
import { numberOrder } from './number.ts';

/** Where a value is within an item: names of attributes and places in lists. */
export type Path = readonly (string | number)[];

/** The type of a value in DynamoDB's JSON, such as `S`, and what it holds. Undefined for what is no value. */
export function typed(value: Json | undefined): readonly [type: string, content: Json] | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const type in value) return [type, value[type] ?? null];
  return undefined;
}

/** The content of a value of a type, or undefined for one of another. */
export function contentOf(value: Json | undefined, type: string): Json | undefined {
  return isJsonObject(value) ? value[type] : undefined;
}

export function valueAt(item: Item, path: Path): Json | undefined {
  let value: Json | undefined = item[String(path[0])];
  for (const step of path.slice(1)) {
    const parent = contentOf(value, typeof step === 'number' ? 'L' : 'M');
    if (typeof step === 'number') value = isJsonList(parent) ? parent[step] : undefined;
    else value = isJsonObject(parent) ? parent[step] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** An item of what is at these paths; elements of lists move up. */
export function pickedAt(item: Item, paths: readonly Path[]): Item {
  const picked: Record<string, Json> = {};
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

function partOf(value: Json | undefined, paths: readonly Path[]): Json | undefined {
  if (value === undefined || paths.some((path) => path.length === 0)) return value;
  const steps = [...new Set(paths.map(([step]) => step ?? ''))];
  const partAt = (step: string | number, child: Json | undefined): Json | undefined =>
    partOf(
      child,
      paths.filter(([first]) => first === step).map((path) => path.slice(1)),
    );
  const [list, map] = [contentOf(value, 'L'), contentOf(value, 'M')];
  if (isJsonList(list)) {
    const places = steps.filter((step) => typeof step === 'number').toSorted((a, b) => a - b);
    const parts = places.flatMap((place) => partAt(place, list[place]) ?? []);
    return parts.length === 0 ? undefined : { L: parts };
  }
  if (isJsonObject(map)) {
    const parts = steps.flatMap((step) => {
      const part = partAt(step, map[step]);
      return part === undefined ? [] : [[step, part] as const];
    });
    return parts.length === 0 ? undefined : { M: Object.fromEntries(parts) };
  }
  return undefined;
}

export function areEqual(left: Json, right: Json): boolean {
  const [a, b] = [typed(left), typed(right)];
  if (a === undefined || b === undefined || a[0] !== b[0]) return false;
  if (typeof a[1] !== 'object') return a[1] === b[1];
  return canonicalItem({ value: left }) === canonicalItem({ value: right });
}

/** Text that orders as values of one type do: text by its bytes in UTF-8. Undefined for a type without an order. */
export function orderOf(value: Json | undefined): string | undefined {
  const [type, content] = typed(value) ?? [];
  if (typeof content !== 'string') return undefined;
  if (type === 'N') return numberOrder(content);
  if (type === 'B') return Buffer.from(content, 'base64').toString('latin1');
  if (type !== 'S') return undefined;
  // Of ASCII the bytes are the characters.
  return /^[\0-\x7f]*$/.test(content) ? content : Buffer.from(content).toString('latin1');
}

/** How many levels deep a value is; a text is one. */
export function depthOf(value: Json): number {
  const [, content] = typed(value) ?? [];
  const children = isJsonList(content) ? content : isJsonObject(content) ? Object.values(content) : [];
  return children.reduce<number>((deepest, child) => Math.max(deepest, 1 + depthOf(child)), 1);
}
