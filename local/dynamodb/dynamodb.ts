import { setImmediate } from 'node:timers/promises';
import {
  awsError,
  unservedText,
  type AwsAnswer,
  type AwsCall,
  type AwsHandler,
  type AwsService,
  type NeededAccess,
} from '../endpoint/index.ts';
import {
  isJsonList,
  isJsonObject,
  objectAt,
  textAt,
  type JsonObject,
  type Place,
} from '../template/index.ts';
import { capacityAnswer, type ConsumedCapacity } from './capacity.ts';
import { createDynalite } from './dynalite.ts';
import { createItemStore } from './items.ts';
import { validationError } from './refusal.ts';
import { runOnItems, type CheckedRequest } from './requests.ts';
import { createDynamoDbStreams, type DynamoDbStreams } from './streams.ts';

export interface DynamoDb {
  readonly handle: AwsHandler;
  /** @throws Error with DynamoDB's message where it would refuse the table */
  readonly createTable: (request: JsonObject, properties?: TableProperties) => Promise<void>;
  readonly tableId: (tableName: string) => string;
  readonly streams: DynamoDbStreams;
  /** Deletes what is past its time to live. DynamoDB does so within days. */
  readonly expireItems: () => void;
  readonly services: readonly AwsService[];
}

export interface TableProperties {
  /** For `DescribeTimeToLive` alone: the host deletes no expired items. */
  readonly timeToLiveAttribute?: string;
  readonly isProtected?: boolean;
}

interface DynamoDbOptions extends Place {
  /** Called for each item or page, even of refused calls. */
  readonly onConsumed?: (call: AwsCall, consumed: ConsumedCapacity) => void;
}

export function createDynamoDb(options: DynamoDbOptions): DynamoDb {
  const streams = createDynamoDbStreams(options);
  const items = createItemStore((change) => {
    if (streams.isEnabled(change.tableName)) streams.append(change);
  });
  const dynalite = createDynalite(options, items);
  const properties = new Map<string, TableProperties>();

  const runOnTables = async (action: string, request: CheckedRequest): Promise<unknown> => {
    const { TableName: tableName = '' } = request;
    const told = properties.get(tableName) ?? {};
    if (action === 'DeleteTable') checkUnprotected(told);
    const answer = await dynalite.run(action, request);
    if (action === 'DeleteTable') properties.delete(tableName);
    return describedAsAws(action, answer, told, streams.describeTable(tableName));
  };

  const run = async (
    action: string,
    request: JsonObject,
    onConsumed?: (consumed: ConsumedCapacity) => void,
  ): Promise<AwsAnswer> => {
    const problem = unknownIn(action, request, dynalite.parametersOf(action));
    if (problem !== undefined) return problem;
    try {
      const checked = dynalite.check(action, request);
      if (!dynalite.isOfItems(action)) return { status: 200, body: await runOnTables(action, checked) };
      const consumed: ConsumedCapacity[] = [];
      const answer = runOnItems(action, checked, items, (one) => {
        consumed.push(one);
        onConsumed?.(one);
      });
      return { status: 200, body: withCapacity(answer, request, consumed) };
    } catch (error) {
      return refusalOf(error);
    }
  };

  const handle: AwsHandler = (call) =>
    run(call.action, call.request, (consumed) => options.onConsumed?.(call, consumed));
  const service = { service: 'dynamodb', neededAccess: dynamoDbAccess };
  return {
    streams,
    handle,
    expireItems: () => {
      for (const [tableName, { timeToLiveAttribute: attribute }] of properties) {
        if (attribute !== undefined) items.expire(tableName, (item) => isExpired(item, attribute));
      }
    },
    services: [
      { ...service, target: 'DynamoDB_20120810', handle },
      { ...service, target: 'DynamoDBStreams_20120810', handle: streams.handle },
    ],
    tableId: dynalite.tableId,
    createTable: async (request, told = {}) => {
      const answer = await run('CreateTable', request);
      if (answer.status !== 200) throw new Error(messageOf(answer));
      const TableName = textAt(request, 'TableName') ?? '';
      properties.set(TableName, told);
      // Requests to a table fail until it is active, as on AWS.
      while (!isActive(await run('DescribeTable', { TableName }))) await setImmediate();
    },
  };
}

/** dynalite silently drops an unknown parameter, which a program would take for accepted. */
/** The attribute counts seconds since the epoch. Items without a number there do not expire. */
function isExpired(item: JsonObject, attribute: string): boolean {
  const expiresAt = textAt(objectAt(item, attribute), 'N');
  return expiresAt !== undefined && Number(expiresAt) * 1000 < Date.now();
}

function unknownIn(
  action: string,
  request: JsonObject,
  parameters: readonly string[] | undefined,
): AwsAnswer | undefined {
  if (parameters === undefined) {
    return awsError('com.amazon.coral.service#UnknownOperationException', unservedText(action, 'dynamodb'));
  }
  const unknown = Object.keys(request).filter((name) => !parameters.includes(name));
  if (unknown.length === 0) return undefined;
  return awsError(
    'com.amazon.coral.validate#ValidationException',
    `The local host's DynamoDB does not know the parameter ${unknown.join(', ')} of ${action}.`,
  );
}

function withCapacity(
  answer: JsonObject,
  request: JsonObject,
  consumed: readonly ConsumedCapacity[],
): JsonObject {
  const detail = request['ReturnConsumedCapacity'];
  if (detail !== 'TOTAL' && detail !== 'INDEXES') return answer;
  const answers = capacityAnswer(consumed, detail === 'INDEXES');
  const isBatch = isJsonObject(request['RequestItems']);
  return { ...answer, ConsumedCapacity: isBatch ? answers : (answers[0] ?? null) };
}

function refusalOf(error: unknown): AwsAnswer {
  if (error instanceof Error && 'statusCode' in error && 'body' in error) {
    return { status: Number(error.statusCode), body: error.body };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return awsError(
    'com.amazonaws.dynamodb.v20120810#InternalServerError',
    `The local host's DynamoDB failed: ${detail}`,
    500,
  );
}

function isActive({ body }: AwsAnswer): boolean {
  return isJsonObject(body) && objectAt(body, 'Table')['TableStatus'] === 'ACTIVE';
}

function messageOf({ body }: AwsAnswer): string {
  const message = isJsonObject(body) ? (body['message'] ?? body['Message']) : undefined;
  return typeof message === 'string' ? message : JSON.stringify(body);
}

/** What an on-demand table serves at once. Sources: recorded on AWS; developer guide, "Warm throughput". */
const ON_DEMAND_UNITS = { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4000 };
const UNTOLD_OF_DELETED: readonly string[] = ['AttributeDefinitions', 'CreationDateTime', 'KeySchema'];

function checkUnprotected({ isProtected = false }: TableProperties): void {
  if (!isProtected) return;
  throw validationError(
    'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
  );
}

function describedAsAws(
  action: string,
  answer: unknown,
  { timeToLiveAttribute, isProtected = false }: TableProperties,
  stream: JsonObject,
): unknown {
  if (action === 'DescribeTimeToLive' && timeToLiveAttribute !== undefined) {
    const TimeToLiveDescription = { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLiveAttribute };
    return { TimeToLiveDescription };
  }
  if (!isJsonObject(answer)) return answer;
  const properties = { DeletionProtectionEnabled: isProtected, ...stream };
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) => {
      const isTable = (name === 'Table' || name === 'TableDescription') && isJsonObject(value);
      return [name, isTable ? { ...described(action, value), ...properties } : value];
    }),
  );
}

function described(action: string, table: JsonObject): JsonObject {
  if (action === 'DeleteTable') {
    return Object.fromEntries(Object.entries(table).filter(([name]) => !UNTOLD_OF_DELETED.includes(name)));
  }
  if (action !== 'DescribeTable' && action !== 'UpdateTable') return table;
  const { GlobalSecondaryIndexes: indexes } = table;
  if (!isJsonList(indexes)) return withWarmThroughput(table);
  const warmIndexes = indexes.filter(isJsonObject).map(withWarmThroughput);
  return { ...withWarmThroughput(table), GlobalSecondaryIndexes: warmIndexes };
}

function withWarmThroughput(tableOrIndex: JsonObject): JsonObject {
  const throughput = objectAt(tableOrIndex, 'ProvisionedThroughput');
  const { ReadCapacityUnits: read, WriteCapacityUnits: write } = throughput;
  const units =
    read !== undefined && read !== 0 && write !== undefined
      ? { ReadUnitsPerSecond: read, WriteUnitsPerSecond: write }
      : ON_DEMAND_UNITS;
  return { ...tableOrIndex, WarmThroughput: { ...units, Status: 'ACTIVE' } };
}

/** Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB". */
export function dynamoDbAccess({ action, request }: AwsCall, place: Place): readonly NeededAccess[] {
  const needed = (resourceArn: string, as = action): NeededAccess => ({
    action: `dynamodb:${as}`,
    resourceArn,
  });
  switch (action) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(objectAt(request, 'RequestItems')).map((table) => needed(tableArn(table, place)));
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return transactionItems(request).map(([as, item]) =>
        needed(tableArn(textAt(item, 'TableName'), place), as),
      );
    case 'DescribeStream':
    case 'GetShardIterator':
      return [needed(textAt(request, 'StreamArn') ?? '*')];
    case 'GetRecords':
      // An iterator begins with its stream's ARN.
      return [needed((textAt(request, 'ShardIterator') ?? '*').replace(/#.*$/, ''))];
    case 'ListStreams':
    case 'ListTables':
    case 'DescribeLimits':
    case 'DescribeEndpoints':
      return [needed('*')];
    default: {
      const indexName = action === 'Query' || action === 'Scan' ? textAt(request, 'IndexName') : undefined;
      const table = tableArn(textAt(request, 'TableName'), place);
      return [needed(indexName === undefined ? table : `${table}/index/${indexName}`)];
    }
  }
}

/** AWS authorizes the parts of a transaction as single calls. */
const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  ConditionCheck: 'ConditionCheckItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
};

function transactionItems(request: JsonObject): readonly (readonly [action: string, item: JsonObject])[] {
  const items = isJsonList(request['TransactItems']) ? request['TransactItems'].filter(isJsonObject) : [];
  return items.flatMap((item) =>
    Object.keys(item).map((kind) => [TRANSACTION_ACTIONS[kind] ?? kind, objectAt(item, kind)] as const),
  );
}

function tableArn(table: string | undefined, { accountId, region }: Place): string {
  if (table === undefined) return '*';
  return table.startsWith('arn:') ? table : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`;
}
