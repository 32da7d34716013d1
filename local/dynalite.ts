import { createRequire } from 'node:module';
import { pageCapacity, readCapacity, refusedWriteCapacity, writeCapacity } from './dynamodb-capacity.ts';
import type { ConsumedCapacity } from './dynamodb-capacity.ts';
import type { Item } from './dynamodb-item.ts';
import { isJsonObject } from './template.ts';
import type { JsonObject } from './template.ts';

/*
 * The one place that knows dynalite from within. Its HTTP layer is left out: parsed requests go straight to its
 * validations and actions, because the AWS endpoint has read the body already. That is private API, hence the
 * exact version in package.json and the canaries in test/local/dynamodb.test.ts and test/local/dynamodb-streams.test.ts.
 */

type Callback = (error: unknown, result?: unknown) => void;

interface KeySchemaElement {
  readonly AttributeName: string;
}

type Attributes = Readonly<Record<string, unknown>>;

interface Index {
  readonly IndexName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
}

interface Table {
  readonly TableName: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly LocalSecondaryIndexes?: readonly Index[];
  readonly GlobalSecondaryIndexes?: readonly Index[];
}

type TableCallback = (error: unknown, table?: Table) => void;

type IndexOperation =
  | { readonly type: 'del'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: Attributes };

/** One write that went through: an item as it was, and as it is. Undefined: there was, or is, none. */
export interface ItemChange {
  readonly tableName: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** Where a table's items lie. Its `put` and `del` are called inside dynalite's lock of the item's key. */
interface ItemDb {
  readonly get: (key: string, callback: (error: unknown, item?: Item) => void) => void;
  put: (key: string, item: Item, callback: Callback) => void;
  del: (key: string, callback: Callback) => void;
}

interface Store {
  readonly tableDb: { awsAccountId: string; awsRegion: string };
  getItemDb: (tableName: string) => ItemDb;
  /** Every action on items begins with it, with two arguments: the second is then the callback. */
  getTable: (tableName: string, checkStatus: boolean | TableCallback, callback?: TableCallback) => void;
  readonly getIndexDb: (
    kind: 'local' | 'global',
    tableName: string,
    indexName: string,
  ) => { readonly batch: (operations: readonly IndexOperation[], callback: Callback) => void };
}

interface Refusal {
  readonly body: { readonly __type?: string; readonly message?: string; Item?: Attributes };
}

interface Database {
  readonly create: (options: object) => Store;
  readonly createKey: (item: Attributes, table: Table, keySchema?: readonly KeySchemaElement[]) => string;
  createIndexKey: (item: Attributes, table: Table, keySchema: readonly KeySchemaElement[]) => string;
  checkConditional: (
    request: AccessRequest & JsonObject,
    existing: Item | undefined,
  ) => Refusal | null | undefined;
  /** Put, update and delete call it with the item before and after the write, reads with the item, inside the lock. */
  addConsumedCapacity: (
    request: AccessRequest,
    isRead: boolean,
    before: Item | undefined,
    after?: Item,
  ) => undefined;
  updateIndexes: (
    store: Store,
    table: Table,
    before: Attributes | null | undefined,
    after: Attributes | null | undefined,
    callback: Callback,
  ) => void;
}

/**
 * What an action does to each item that it names by its key. The actions hand the wish for consumed capacity on to
 * each item of a batch, unread: in its place they carry who is to hear of the items.
 */
interface AccessRequest {
  readonly TableName: string;
  readonly Item?: Item;
  readonly ConsistentRead?: boolean;
  readonly ReturnConsumedCapacity?: unknown;
}

type OnAccess = (access: {
  readonly kind: 'read' | 'write' | 'refused';
  readonly request: AccessRequest;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}) => void;

interface Validation {
  readonly types: Readonly<Record<string, unknown>>;
  readonly custom?: unknown;
}

interface Action {
  readonly validation: Validation;
  readonly run: (store: Store, request: object, done: Callback) => void;
}

interface Validations {
  readonly checkTypes: (request: object, types: object) => Record<string, unknown>;
  readonly checkValidations: (request: object, types: object, custom: unknown, store: Store) => void;
}

export interface Dynalite {
  /** The top-level parameters that an action knows, or undefined for an action dynalite lacks. */
  readonly parametersOf: (action: string) => readonly string[] | undefined;
  /**
   * Rejects with an error that has `statusCode` and `body` where DynamoDB would refuse.
   *
   * @param onConsumed hears what the request consumes, item by item or page by page, refused or not; the answer itself
   *   says nothing of it
   */
  readonly run: (
    action: string,
    request: JsonObject,
    onConsumed: (consumed: ConsumedCapacity) => void,
  ) => Promise<unknown>;
}

const ACTIONS = new Set([
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
]);

/** Parameters that dynalite drops in silence and the host supplies. */
const OWN_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  PutItem: ['ReturnValuesOnConditionCheckFailure'],
  UpdateItem: ['ReturnValuesOnConditionCheckFailure'],
  DeleteItem: ['ReturnValuesOnConditionCheckFailure'],
};

const require = createRequire(import.meta.url);

/** Who hears of every write to the tables that `listensTo` names, in the order of the writes to each item. */
export interface ChangeListener {
  readonly listensTo: (tableName: string) => boolean;
  readonly onChange: (change: ItemChange) => void;
}

export function createDynalite(options: {
  readonly accountId: string;
  readonly region: string;
  readonly changes?: ChangeListener;
}): Dynalite {
  const database = correctedDatabase();
  const validations: Validations = require('dynalite/validations');
  const store = database.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  store.tableDb.awsAccountId = options.accountId;
  store.tableDb.awsRegion = options.region;
  if (options.changes !== undefined) tellChanges(store, options.changes);

  const actions = new Map<string, Action>();
  const load = (action: string): Action | undefined => {
    if (!ACTIONS.has(action)) return undefined;
    const known = actions.get(action);
    if (known !== undefined) return known;
    const file = `${action.charAt(0).toLowerCase()}${action.slice(1)}`;
    const loaded: Action = {
      validation: require(`dynalite/validations/${file}`),
      run: require(`dynalite/actions/${file}`),
    };
    actions.set(action, loaded);
    return loaded;
  };

  const tables = tablesAtHand(store);

  const consumedBy = (access: Parameters<OnAccess>[0]): ConsumedCapacity | undefined => {
    const { kind, request, before, after } = access;
    const table = tables.get(request.TableName);
    if (kind === 'read') return readCapacity(request.TableName, before, request.ConsistentRead === true);
    if (kind === 'refused') return refusedWriteCapacity(request.TableName, before, request.Item);
    return table && writeCapacity(table, before, after);
  };

  return {
    parametersOf: (action) => {
      const known = load(action);
      return known && [...Object.keys(known.validation.types), ...(OWN_PARAMETERS[action] ?? [])];
    },
    run: (action, request, onConsumed) => {
      const onAccess: OnAccess = (access) => {
        const consumed = consumedBy(access);
        if (consumed !== undefined) onConsumed(consumed);
      };
      return new Promise((resolve, reject) => {
        const known = load(action);
        if (known === undefined) throw new Error(`dynalite has no ${action}`);
        const checked = validations.checkTypes({ ...request }, known.validation.types);
        validations.checkValidations(checked, known.validation.types, known.validation.custom, store);
        for (const name of OWN_PARAMETERS[action] ?? []) {
          if (request[name] !== undefined) checked[name] = request[name];
        }
        checked['ReturnConsumedCapacity'] = PAGED.has(action) ? 'INDEXES' : onAccess;
        known.run(store, checked, (error, result) => {
          if (error) return reject(error);
          if (!isJsonObject(result)) return resolve(result);
          const { ConsumedCapacity: consumed, ...answer } = result;
          if (isJsonObject(consumed)) onConsumed(pageCapacity(consumed, request['ConsistentRead'] === true));
          resolve(answer);
        });
      });
    },
  };
}

/** Their cost is that of all items they pass over, which only dynalite sees; it counts a character as a byte. */
const PAGED = new Set(['Query', 'Scan']);

/**
 * dynalite has no streams. All its writes of items end in `put` or `del` of what `getItemDb` answers, inside the lock
 * of the item's key, so that what is read there is what was before, and the order of calls is that of the writes.
 */
function tellChanges(store: Store, { listensTo, onChange }: ChangeListener): void {
  const getItemDb = store.getItemDb;
  const told = new WeakSet<ItemDb>();
  store.getItemDb = (tableName) => {
    const itemDb = getItemDb(tableName);
    if (told.has(itemDb)) return itemDb;
    told.add(itemDb);
    const { put, del } = itemDb;
    const write = (
      key: string,
      after: Item | undefined,
      callback: Callback,
      run: (done: Callback) => void,
    ): void => {
      if (!listensTo(tableName)) return run(callback);
      itemDb.get(key, (_, before) => {
        run((error, result) => {
          if (!error) onChange({ tableName, before: before ?? undefined, after });
          callback(error, result);
        });
      });
    };
    itemDb.put = (key, item, callback) => {
      write(key, item, callback, (done) => put(key, item, done));
    };
    itemDb.del = (key, callback) => {
      write(key, undefined, callback, (done) => del(key, done));
    };
    return itemDb;
  };
}

/** Each table as an action on its items saw it last. */
function tablesAtHand(store: Store): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  const getTable = store.getTable;
  store.getTable = (tableName, checkStatus, callback) => {
    if (typeof checkStatus !== 'function') return getTable(tableName, checkStatus, callback);
    getTable(tableName, (error, table) => {
      if (table !== undefined) tables.set(tableName, table);
      checkStatus(error, table);
    });
  };
  return tables;
}

let corrected: Database | undefined;

/** dynalite's actions call each other through the exports of its `db` module, so that corrections made there hold. */
function correctedDatabase(): Database {
  if (corrected !== undefined) return corrected;
  const database: Database = require('dynalite/db');
  const checkConditional = database.checkConditional;

  // dynalite ignores ReturnValuesOnConditionCheckFailure. Here the item is at hand, inside its lock.
  database.checkConditional = (request, existing) => {
    const refusal = checkedConditional(() => checkConditional(request, existing));
    if (refusal && existing && request['ReturnValuesOnConditionCheckFailure'] === 'ALL_OLD') {
      refusal.body.Item = existing;
    }
    if (refusal) tellAccess({ kind: 'refused', request, before: existing, after: undefined });
    return refusal;
  };

  // dynalite counts no indexes, and characters for bytes; see dynamodb-capacity.ts.
  database.addConsumedCapacity = (request, isRead, before, after) => {
    tellAccess({ kind: isRead ? 'read' : 'write', request, before, after });
    return undefined;
  };

  // dynalite tells index entries of equal key apart by 24 bits of a hash: among 10,000 of them, some would vanish.
  database.createIndexKey = (item, table, keySchema) =>
    database.createKey(item, table, keySchema) + database.createKey(item, table);

  database.updateIndexes = (store, table, before, after, callback) => {
    // dynalite says null for an item that is no more.
    const [existing, item] = [before ?? undefined, after ?? undefined];
    const changes = [
      ...(table.LocalSecondaryIndexes ?? []).map((index) => ['local', index] as const),
      ...(table.GlobalSecondaryIndexes ?? []).map((index) => ['global', index] as const),
    ].flatMap(([kind, index]) => {
      const oldKey = indexKeyOf(database, existing, table, index);
      const newKey = indexKeyOf(database, item, table, index);
      const operations: IndexOperation[] = [];
      if (oldKey !== undefined && oldKey !== newKey) operations.push({ type: 'del', key: oldKey });
      if (newKey !== undefined && item !== undefined) {
        operations.push({ type: 'put', key: newKey, value: projected(item, table, index) });
      }
      return operations.length === 0 ? [] : [{ kind, index, operations }];
    });
    let pending = changes.length;
    if (pending === 0) return callback(null);
    for (const { kind, index, operations } of changes) {
      store.getIndexDb(kind, table.TableName, index.IndexName).batch(operations, (error) => {
        if (error) {
          pending = Infinity;
          return callback(error);
        }
        pending -= 1;
        if (pending === 0) callback(null);
      });
    }
  };
  corrected = database;
  return database;
}

function tellAccess(access: Parameters<OnAccess>[0]): void {
  const onAccess = access.request.ReturnConsumedCapacity;
  if (typeof onAccess === 'function') onAccess(access);
}

/** dynalite calls this from a timer, where an exception would end the whole host instead of the one request. */
function checkedConditional(check: () => Refusal | null | undefined): Refusal | null | undefined {
  try {
    return check();
  } catch (error) {
    const message = `The condition can't be evaluated: ${error instanceof Error ? error.message : String(error)}`;
    return Object.assign(new Error(message), {
      statusCode: 400,
      body: { __type: 'com.amazon.coral.validate#ValidationException', message },
    });
  }
}

function indexKeyOf(
  database: Database,
  item: Attributes | undefined,
  table: Table,
  index: Index,
): string | undefined {
  // An item that lacks a key of the index is not in it: indexes are sparse.
  if (item === undefined || !index.KeySchema.every((key) => item[key.AttributeName] != null))
    return undefined;
  return database.createIndexKey(item, table, index.KeySchema);
}

function projected(item: Attributes, table: Table, index: Index): Attributes {
  if (index.Projection.ProjectionType === 'ALL') return item;
  const names = [...index.KeySchema, ...table.KeySchema].map((key) => key.AttributeName);
  return Object.fromEntries(
    [...names, ...(index.Projection.NonKeyAttributes ?? [])].flatMap((name) =>
      item[name] === undefined ? [] : [[name, item[name]]],
    ),
  );
}
