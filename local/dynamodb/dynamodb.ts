import { setImmediate } from 'node:timers/promises';
import { awsError, type AwsAnswer, type AwsCall, type AwsService } from '../endpoint/aws-service.ts';
import { unservedText } from '../endpoint/unserved-call.ts';
import { isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';
import { capacityAnswer, type ConsumedCapacity } from './capacity.ts';
import { describedAsAws } from './description.ts';
import { createDynalite } from './dynalite.ts';
import { createItemStore } from './items.ts';
import { checkExpressionSizes, withCanonicalNumbers } from './limits.ts';
import { validationError } from './refusal.ts';
import { runOnItems, type CheckedRequest } from './requests.ts';
import { createDynamoDbStreams, type DynamoDbStreams } from './streams.ts';

export interface DynamoDb {
  readonly handle: AwsService;
  /** @throws Error with DynamoDB's own message where it would refuse the table. */
  readonly createTable: (request: JsonObject, properties?: TableProperties) => Promise<void>;
  /** A table's id, a UUID. */
  readonly tableId: (tableName: string) => string;
  readonly streams: DynamoDbStreams;
}

/** What a template says of a table beside its keys and indexes. */
export interface TableProperties {
  /** For `DescribeTimeToLive` only: the host never deletes expired items. */
  readonly timeToLiveAttribute?: string;
  /** Whether it can't be deleted. */
  readonly isProtected?: boolean;
}

const unmetered = (): void => undefined;

/** Amazon DynamoDB, in memory: dynalite reads the requests, the items are the host's own. */
export function createDynamoDb(options: {
  readonly accountId: string;
  readonly region: string;
  /** Hears what each call consumes, item by item or page by page; of refused calls, too. */
  readonly onConsumed?: (call: AwsCall, consumed: ConsumedCapacity) => void;
}): DynamoDb {
  const streams = createDynamoDbStreams(options);
  const items = createItemStore((change) => {
    if (streams.isEnabled(change.tableName)) streams.append(change);
  });
  const dynalite = createDynalite({ ...options, tables: items });
  const properties = new Map<string, TableProperties>();

  const runOnTables = async (action: string, request: CheckedRequest): Promise<unknown> => {
    const { TableName: tableName = '' } = request;
    const { timeToLiveAttribute, isProtected = false } = properties.get(tableName) ?? {};
    if (action === 'DeleteTable' && isProtected) {
      throw validationError(
        'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
      );
    }
    const answer = await dynalite.run(action, request);
    if (action === 'DeleteTable') properties.delete(tableName);
    if (action === 'DescribeTimeToLive' && timeToLiveAttribute !== undefined) {
      const TimeToLiveDescription = { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLiveAttribute };
      return { TimeToLiveDescription };
    }
    if (!isJsonObject(answer)) return answer;
    return describedAsAws(action, answer, {
      DeletionProtectionEnabled: isProtected,
      ...streams.describeTable(tableName),
    });
  };

  const run = async (
    action: string,
    request: JsonObject,
    onConsumed: (consumed: ConsumedCapacity) => void,
  ): Promise<AwsAnswer> => {
    const parameters = dynalite.parametersOf(action);
    if (parameters === undefined) {
      return awsError('com.amazon.coral.service#UnknownOperationException', unservedText(action, 'dynamodb'));
    }
    const unknown = Object.keys(request).filter((name) => !parameters.includes(name));
    if (unknown.length > 0) {
      // dynalite would drop them in silence, and the program would believe that they took effect.
      return awsError(
        'com.amazon.coral.validate#ValidationException',
        `The local host's DynamoDB does not know the parameter ${unknown.join(', ')} of ${action}.`,
      );
    }
    try {
      checkExpressionSizes(request);
      const checked = dynalite.check(action, withCanonicalNumbers(request));
      if (!dynalite.isOfItems(action)) return { status: 200, body: await runOnTables(action, checked) };
      const consumed: ConsumedCapacity[] = [];
      const answer = runOnItems(action, checked, items, (one) => {
        consumed.push(one);
        onConsumed(one);
      });
      return { status: 200, body: withCapacity(answer, request, consumed) };
    } catch (error) {
      return refusalOf(error);
    }
  };

  return {
    streams,
    handle: (call) => run(call.action, call.request, (consumed) => options.onConsumed?.(call, consumed)),
    tableId: dynalite.tableId,
    createTable: async (request, told = {}) => {
      const answer = await run('CreateTable', request, unmetered);
      if (answer.status !== 200) throw new Error(messageOf(answer));
      const TableName = textAt(request, 'TableName') ?? '';
      properties.set(TableName, told);
      while (!isActive(await run('DescribeTable', { TableName }, unmetered))) await setImmediate();
    },
  };
}

/** Says what was consumed to who asks for it: one entry, or a list for a batch. */
function withCapacity(answer: unknown, request: JsonObject, consumed: readonly ConsumedCapacity[]): unknown {
  const detail = request['ReturnConsumedCapacity'];
  if (!isJsonObject(answer) || (detail !== 'TOTAL' && detail !== 'INDEXES')) return answer;
  const answers = capacityAnswer(consumed, detail === 'INDEXES');
  return { ...answer, ConsumedCapacity: isJsonObject(request['RequestItems']) ? answers : answers[0] };
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

/** Until a table is active, requests to it are refused, as on AWS. */
function isActive({ body }: AwsAnswer): boolean {
  return isJsonObject(body) && objectAt(body, 'Table')['TableStatus'] === 'ACTIVE';
}

function messageOf({ body }: AwsAnswer): string {
  const message = isJsonObject(body) ? (body['message'] ?? body['Message']) : undefined;
  return typeof message === 'string' ? message : JSON.stringify(body);
}
