import { isJsonList, isJsonObject } from './template.ts';
import type { Json } from './template.ts';

/** An item in DynamoDB's JSON: attribute name to `{"S": …}`, `{"N": …}` and so on. */
export type Item = { readonly [name: string]: Json };

const SETS = new Set(['SS', 'NS', 'BS']);

/** Text that is equal for equal items, whatever the order of their attributes and of the elements of sets. */
export function canonicalItem(item: Item): string {
  const canonical = (value: Json): Json => {
    if (isJsonList(value)) return value.map(canonical);
    if (!isJsonObject(value)) return value;
    return Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, entry]) => [
        name,
        SETS.has(name) && isJsonList(entry) ? entry.map(String).toSorted() : canonical(entry),
      ]);
  };
  return JSON.stringify(canonical(item));
}

/** The size of an item in DynamoDB's terms, near enough: the names and the values in UTF-8, no type markers. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (bytes, [name, value]) => bytes + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: Json): number {
  if (!isJsonObject(value)) return 0;
  const [entry] = Object.entries(value);
  if (entry === undefined) return 0;
  const [marker, content] = entry;
  if (marker === 'M' && isJsonObject(content)) return 3 + itemBytes(content);
  if (marker === 'L' && isJsonList(content)) {
    return content.reduce<number>((bytes, element) => bytes + 1 + valueBytes(element), 3);
  }
  if (isJsonList(content)) return content.reduce<number>((bytes, element) => bytes + textBytes(element), 0);
  if (typeof content !== 'string') return 1;
  if (marker === 'N') return Math.ceil(content.replaceAll(/[^\d]/g, '').length / 2) + 1;
  return marker === 'B' ? Buffer.from(content, 'base64').length : textBytes(content);
}

function textBytes(value: Json): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}
