import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { isJsonList, isJsonObject, type Json, type JsonObject, type Place } from '../template/index.ts';
import { canonicalNumber } from './number.ts';
import { validationError } from './refusal.ts';
import type { CheckedRequest } from './requests.ts';
import type { TableDescription } from './table.ts';
import { itemBytes } from './value.ts';

/*
 * The one file that knows dynalite's internals, hence the exact version in package.json. dynalite reads requests
 * (types, validations, expressions) and describes tables. Items and HTTP are the host's own.
 */

type Callback = (error: unknown, result?: unknown) => void;

interface Store {
  readonly tableDb: {
    awsAccountId: string;
    awsRegion: string;
    put: (name: string, description: DynaliteTable, callback: Callback) => void;
  };
  deleteItemDb: (tableName: string, callback: Callback) => void;
}

type DynaliteTable = TableDescription & {
  readonly TableStatus: string;
  TableThroughputModeSummary?: unknown;
};

interface Database {
  readonly create: (options: object) => Store;
  itemSize: typeof itemBytes;
}

interface Validation {
  readonly types: Readonly<Record<string, unknown>>;
  readonly custom?: unknown;
}

interface Action extends Validation {
  readonly run?: (store: Store, request: object, done: Callback) => void;
}

interface Validations {
  readonly checkTypes: (request: object, types: object) => CheckedRequest;
  readonly checkValidations: (request: object, types: object, custom: unknown, store: Store) => void;
}

export interface Dynalite {
  readonly parametersOf: (action: string) => readonly string[] | undefined;
  /** @throws an error with `statusCode` and `body` where DynamoDB refuses whatever the tables hold */
  readonly check: (action: string, request: JsonObject) => CheckedRequest;
  readonly isOfItems: (action: string) => boolean;
  readonly tableId: (tableName: string) => string;
  readonly run: (action: string, request: CheckedRequest) => Promise<unknown>;
}

const TABLE_ACTIONS = new Set([
  'CreateTable',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'ListTables',
  'ListTagsOfResource',
  'TagResource',
  'UntagResource',
  'UpdateTable',
]);
const ITEM_ACTIONS = new Set([
  'BatchGetItem',
  'BatchWriteItem',
  'DeleteItem',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
]);

const ON_REFUSAL = { ReturnValuesOnConditionCheckFailure: { type: 'String', enum: ['ALL_OLD', 'NONE'] } };

const MORE_TYPES: Readonly<Record<string, object>> = {
  PutItem: ON_REFUSAL,
  UpdateItem: ON_REFUSAL,
  DeleteItem: ON_REFUSAL,
  Scan: { ConsistentRead: 'Boolean' },
};

interface Tables {
  readonly define: (description: TableDescription) => void;
  readonly drop: (tableName: string) => void;
}

const require = createRequire(import.meta.url);

export function createDynalite(place: Place, tables: Tables): Dynalite {
  const { store, tableId } = createStore(place, tables);
  const validations: Validations = require('dynalite/validations');
  const actions = new Map<string, Action>();
  const load = (action: string): Action | undefined => {
    if (!TABLE_ACTIONS.has(action) && !ITEM_ACTIONS.has(action)) return undefined;
    const known = actions.get(action);
    if (known !== undefined) return known;
    const file = `${action.charAt(0).toLowerCase()}${action.slice(1)}`;
    const { types, custom }: Validation = require(`dynalite/validations/${file}`);
    const loaded: Action = {
      types: { ...types, ...MORE_TYPES[action] },
      custom,
      ...(TABLE_ACTIONS.has(action) ? { run: require(`dynalite/actions/${file}`) } : {}),
    };
    actions.set(action, loaded);
    return loaded;
  };

  return {
    tableId,
    parametersOf: (action) => {
      const known = load(action);
      return known && Object.keys(known.types);
    },
    isOfItems: (action) => ITEM_ACTIONS.has(action),
    check: (action, request) => {
      const known = load(action);
      if (known === undefined) throw new Error(`dynalite has no ${action}`);
      checkExpressionSizes(request);
      const checked = validations.checkTypes({ ...withCanonicalNumbers(request) }, known.types);
      validations.checkValidations(checked, known.types, known.custom, store);
      return checked;
    },
    run: (action, request) =>
      new Promise((resolve, reject) => {
        const run = load(action)?.run;
        if (run === undefined) throw new Error(`dynalite does not run ${action}`);
        run(store, request, (error, result) => {
          if (error) reject(action === 'CreateTable' ? inUse(error, request) : error);
          else resolve(result);
        });
      }),
  };
}

function createStore(place: Place, tables: Tables) {
  const database: Database = require('dynalite/db');
  // dynalite counts a character as one byte.
  database.itemSize = itemBytes;
  const store = database.create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const { tableDb, deleteItemDb } = store;
  const { put } = tableDb;
  const tableIds = new Map<string, string>();
  const tableId = (tableName: string): string => {
    const id = tableIds.get(tableName) ?? randomUUID();
    tableIds.set(tableName, id);
    return id;
  };
  Object.assign(tableDb, { awsAccountId: place.accountId, awsRegion: place.region });
  tableDb.put = (name, description, callback) => {
    if (description.TableStatus === 'ACTIVE') tables.define(description);
    // As recorded on AWS: dynalite's ids lack four digits of a UUID.
    Object.assign(description, { TableId: tableId(name) });
    delete description.TableThroughputModeSummary;
    put(name, description, callback);
  };
  store.deleteItemDb = (tableName, callback) => {
    tables.drop(tableName);
    tableIds.delete(tableName);
    deleteItemDb(tableName, callback);
  };
  return { store, tableId };
}

const MAXIMUM_EXPRESSION_BYTES = 4096;
const EXPRESSIONS = [
  ['ConditionExpression', true],
  ['FilterExpression', true],
  ['KeyConditionExpression', true],
  ['ProjectionExpression', false],
  ['UpdateExpression', false],
] as const;

/**
 * dynalite lacks this limit. Source: Amazon DynamoDB developer guide, "Constraints in Amazon DynamoDB", "Expression
 * parameters".
 * @throws Refusal
 */
function checkExpressionSizes(request: JsonObject): void {
  for (const [name, tellsSize] of EXPRESSIONS) {
    const expression = request[name];
    if (typeof expression !== 'string') continue;
    const bytes = Buffer.byteLength(expression);
    if (bytes <= MAXIMUM_EXPRESSION_BYTES) continue;
    throw validationError(
      `Invalid ${name}: Expression size has exceeded the maximum allowed size;${tellsSize ? ` expression size: ${bytes}` : ''}`,
    );
  }
  const parts = request['RequestItems'];
  if (!isJsonObject(parts)) return;
  for (const part of Object.values(parts)) if (isJsonObject(part)) checkExpressionSizes(part);
}

const PLAIN_NUMBER = /^(?:0|-?[1-9]\d{0,37})$/;

/** What is no number stays. */
function withCanonicalNumbers(request: JsonObject): JsonObject {
  let changed: Record<string, Json> | undefined;
  for (const [name, content] of Object.entries(request)) {
    const canonical = canonicalContent(name, content);
    if (canonical !== content) (changed ??= { ...request })[name] = canonical;
  }
  return changed ?? request;
}

function canonicalContent(type: string, content: Json): Json {
  if (isJsonObject(content)) return withCanonicalNumbers(content);
  if (isJsonList(content)) {
    const elements = content.map((element) => canonicalContent(type === 'NS' ? 'N' : '', element));
    return elements.some((element, place) => element !== content[place]) ? elements : content;
  }
  if (type !== 'N' || typeof content !== 'string' || PLAIN_NUMBER.test(content)) return content;
  return canonicalNumber(content) ?? content;
}

/** dynalite's error has no message. */
function inUse(error: unknown, { TableName: name }: CheckedRequest): unknown {
  if (!(error instanceof Error && 'body' in error && isJsonObject(error.body))) return error;
  if (error.body['message'] !== '') return error;
  return Object.assign(error, { body: { ...error.body, message: `Table already exists: ${name}` } });
}
