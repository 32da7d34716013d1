import { isJsonList, isJsonObject, type Json } from '../template/index.ts';

/** An item in DynamoDB's JSON: attribute name to `{"S": …}`, `{"N": …}` and so on. */
export type Item = { readonly [name: string]: Json };

/** One write that went through: an item as it was, and as it is. Undefined: there was, or is, none. */
export interface ItemChange {
  readonly tableName: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** Source: Amazon DynamoDB developer guide, "Constraints in Amazon DynamoDB": 400 KB. */
export const MAXIMUM_ITEM_BYTES = 400 * 1024;

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

/**
 * The size of an item as DynamoDB counts it: names and values in UTF-8, without type markers.
 *
 * Source: Amazon DynamoDB developer guide, "DynamoDB item sizes and formats". It calls the size of numbers approximate;
 * so is this.
 */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += Buffer.byteLength(name) + valueBytes(value);
  return bytes;
}

const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

function valueBytes(value: Json): number {
  if (!isJsonObject(value)) return 0;
  const [entry] = Object.entries(value);
  if (entry === undefined) return 0;
  const [marker, content] = entry;
  if (marker === 'M' && isJsonObject(content)) {
    return COLLECTION_BYTES + ELEMENT_BYTES * Object.keys(content).length + itemBytes(content);
  }
  if (marker === 'L' && isJsonList(content)) {
    return content.reduce<number>(
      (bytes, element) => bytes + ELEMENT_BYTES + valueBytes(element),
      COLLECTION_BYTES,
    );
  }
  if (isJsonList(content)) {
    return content.reduce<number>((bytes, element) => bytes + scalarBytes(marker.charAt(0), element), 0);
  }
  return scalarBytes(marker, content);
}

function scalarBytes(marker: string, content: Json): number {
  // NULL and BOOL.
  if (typeof content !== 'string') return 1;
  if (marker === 'N') return numberBytes(content);
  return marker === 'B' ? Buffer.byteLength(content, 'base64') : Buffer.byteLength(content);
}

/** A byte for every two significant digits, one more, and one for a sign. */
function numberBytes(text: string): number {
  let [digits, zeros, isSignificant] = [0, 0, false];
  for (const character of text) {
    if (character === 'e' || character === 'E') break;
    if (character < '0' || character > '9') continue;
    if (character === '0') {
      // Leading zeros are nothing; others are, if no digit follows.
      if (isSignificant) zeros += 1;
      continue;
    }
    isSignificant = true;
    digits += zeros + 1;
    zeros = 0;
  }
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}
