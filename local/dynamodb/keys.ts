import { validationError, type Refusal } from './refusal.ts';
import type { Index, Key, Table } from './table.ts';
import { contentOf, depthOf, typed, type Item, type Path, type Value } from './value.ts';

/* The texts are DynamoDB's. Source: Amazon DynamoDB developer guide, "Constraints in Amazon DynamoDB". */

const MAXIMUM_PARTITION_KEY_BYTES = 2048;
const MAXIMUM_SORT_KEY_BYTES = 1024;
const MAXIMUM_DEPTH = 32;

export function checkKey(table: Table, key: Item): void {
  const isWhole = table.keys.every(({ name, type }) => contentOf(key[name], type) !== undefined);
  if (!isWhole || Object.keys(key).length !== table.keys.length) {
    throw validationError('The provided key element does not match the schema');
  }
  checkPrimaryKey(table, key);
}

/** @throws Refusal for an item without its key, or with a value that an index's key cannot have */
export function checkItemKeys(table: Table, item: Item): void {
  for (const { name, type } of table.keys) {
    const value = item[name];
    if (value === undefined) {
      throw validationError(`One or more parameter values were invalid: Missing the key ${name} in the item`);
    }
    if (contentOf(value, type) === undefined) {
      throw validationError(
        `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type} actual: ${typed(value)?.[0]}`,
      );
    }
  }
  checkPrimaryKey(table, item);
  for (const index of table.indexes) {
    for (const key of index.keys) checkIndexKey(index, key, item[key.name]);
  }
}

function checkPrimaryKey(table: Table, item: Item): void {
  for (const [place, key] of table.keys.entries()) {
    const value = item[key.name];
    checkNotEmpty(value, `Key: ${key.name}`);
    checkBytes(value, place === 0);
  }
}

function checkIndexKey(index: Index, key: Key, value: Value | undefined): void {
  if (value === undefined) return;
  if (contentOf(value, key.type) === undefined) {
    throw validationError(
      `One or more parameter values were invalid: Type mismatch for Index Key ${key.name} Expected: ${key.type} Actual: ${typed(value)?.[0]} IndexName: ${index.name}`,
    );
  }
  checkNotEmpty(value, `IndexName: ${index.name}, IndexKey: ${key.name}`, IN_INDEX);
  checkBytes(value, key === index.keys[0]);
}

const IN_INDEX = ' A value specified for a secondary index key is not supported.';

function checkNotEmpty(value: Value | undefined, where: string, what = ''): void {
  const [type, content] = typed(value) ?? [];
  if (content !== '') return;
  const kind = type === 'B' ? 'binary' : 'string';
  throw validationError(
    `One or more parameter values are not valid.${what} The AttributeValue for a key attribute cannot contain an empty ${kind} value. ${where}`,
  );
}

function checkBytes(value: Value | undefined, isPartitionKey: boolean): void {
  const [type, content] = typed(value) ?? [];
  if (typeof content !== 'string' || type === 'N') return;
  const bytes = Buffer.byteLength(content, type === 'B' ? 'base64' : 'utf8');
  if (bytes <= (isPartitionKey ? MAXIMUM_PARTITION_KEY_BYTES : MAXIMUM_SORT_KEY_BYTES)) return;
  throw validationError(
    `One or more parameter values were invalid: ${
      isPartitionKey
        ? 'Size of hashkey has exceeded the maximum size limit of2048 bytes'
        : 'Aggregated size of all range keys has exceeded the size limit of 1024 bytes'
    }`,
  );
}

export function checkUpdatedKeys(table: Table, item: Item, changed: ReadonlySet<string>): void {
  for (const index of table.indexes) {
    for (const key of index.keys) {
      const value = item[key.name];
      if (value === undefined || !changed.has(key.name)) continue;
      if (contentOf(value, key.type) === undefined) {
        throw validationError(
          'The update expression attempted to update the secondary index key to unsupported type',
        );
      }
      if (contentOf(value, key.type) === '') {
        throw validationError(
          `One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty ${key.type === 'B' ? 'binary' : 'string'} value.`,
        );
      }
      checkBytes(value, key === index.keys[0]);
    }
  }
}

export function checkKeyCondition(
  key: Key,
  value: Value,
  index: Index | undefined,
  isPartitionKey: boolean,
): void {
  if (index === undefined) checkNotEmpty(value, `Key: ${key.name}`);
  else checkNotEmpty(value, `IndexName: ${index.name}, IndexKey: ${key.name}`, IN_INDEX);
  // A partition that no item can have is merely empty.
  if (!isPartitionKey) checkBytes(value, false);
}

export function checkDepth(value: Value): void {
  if (depthOf(value) <= MAXIMUM_DEPTH) return;
  throw validationError(
    'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit',
  );
}

/** @throws Refusal for a path below a key, which is neither list nor map */
export function checkPathsBeside(table: Table, nestedPaths: object): void {
  for (const { name } of table.keys) if (name in nestedPaths) throw pathIntoKey('Key', name);
  for (const { keys } of table.indexes) {
    for (const { name } of keys) if (name in nestedPaths) throw pathIntoKey('IndexKey', name);
  }
}

function pathIntoKey(kind: string, name: string): Refusal {
  return validationError(
    `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${kind}: ${name}`,
  );
}

/** @throws Refusal for an update of the table's key, or of an index's key to another type */
export function checkUpdates(
  table: Table,
  updates: readonly { readonly path: Path; readonly attrType?: string | null }[],
): void {
  for (const { name } of table.keys) {
    if (!updates.some(({ path }) => path[0] === name)) continue;
    throw validationError(
      `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
    );
  }
  for (const index of table.indexes) {
    for (const { name, type } of index.keys) {
      const wrong = updates.find(
        ({ path, attrType }) => path.length === 1 && path[0] === name && (attrType ?? type) !== type,
      );
      if (wrong === undefined) continue;
      throw validationError(
        `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${type} Actual: ${wrong.attrType} IndexName: ${index.name}`,
      );
    }
  }
}
