import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { awsError } from '../../local/endpoint/index.ts';
import { createUsageMeter, unitsIn, usageBetween, type Usage, type UsageRecord } from '../../local/usage.ts';
import { startEngines } from './dynamodb/engines.ts';

/** Goal: the meter counts what AWS would bill for, by resource and by who caused it; and nothing else. */

const TableName = 'Things';
let milliseconds = 0;
const meter = createUsageMeter({
  now: () => milliseconds,
  memoryMegabytesOf: (functionName) => (functionName === 'big' ? 1024 : 256),
  nameOf: (id) => id.replace('arn:aws:iam::000000000000:role/', ''),
});
let isThrottled = false;
let start: Usage;

const engines = await startEngines({
  interceptors: [
    (_, proceed) =>
      isThrottled ? Promise.resolve(awsError('ThrottlingException', 'Rate exceeded')) : proceed(),
    meter.interceptor,
  ],
  onConsumed: meter.onConsumed,
});
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
});
beforeEach(() => {
  start = meter.usage();
});
afterAll(() => engines.stop());

/** `unit resource part by: count` of everything since the test began. */
function used(): string[] {
  return usageBetween(start, meter.usage()).map(
    ({ unit, resource, part, by, count }) =>
      `${[unit, resource, part, by].filter(Boolean).join(' ')}: ${count}`,
  );
}

describe('DynamoDB', () => {
  test('is counted by table and by who calls, over HTTP and from within the host', async () => {
    await engines.dynamoDbClient.putItem({
      TableName,
      Item: { id: { S: 'one' }, text: { S: 'x'.repeat(1500) } },
    });
    await engines.dynamoDbClient.getItem({ TableName, Key: { id: { S: 'one' } } });
    const callAws = engines.endpoint.callAs('arn:aws:iam::000000000000:role/poller', 'test');
    await callAws('DynamoDB_20120810.PutItem', { TableName, Item: { id: { S: 'two' } } });
    expect(used()).toEqual([
      'dynamodb-write-units Things operator: 2',
      'dynamodb-read-units Things operator: 0.5',
      'dynamodb-write-units Things poller: 1',
    ]);
  });

  test('bills a write whose condition does not hold by the larger item, and one that throttling keeps out not at all', async () => {
    const put = (bytes: number) =>
      engines.dynamoDbClient.putItem({
        TableName,
        Item: { id: { S: 'held' }, text: { S: 'x'.repeat(bytes) } },
        ConditionExpression: 'attribute_not_exists(id)',
      });
    await put(2500);
    await expect(put(10)).rejects.toThrow('conditional');
    await expect(put(4500)).rejects.toThrow('conditional');
    const update = new UpdateItemCommand({
      TableName,
      Key: { id: { S: 'none' } },
      UpdateExpression: 'SET done = :done',
      ConditionExpression: 'attribute_exists(id)',
      ExpressionAttributeValues: { ':done': { BOOL: true } },
    });
    await expect(engines.dynamoDbClient.send(update)).rejects.toThrow('conditional');
    isThrottled = true;
    await expect(put(10)).rejects.toThrow('Rate exceeded');
    isThrottled = false;
    expect(used()).toEqual([`dynamodb-write-units Things operator: ${3 + 3 + 5 + 1}`]);
  });

  test('bills no request that is invalid', async () => {
    const invalid = new GetItemCommand({ TableName, Key: { other: { S: 'x' } } });
    await expect(engines.dynamoDbClient.send(invalid)).rejects.toThrow('schema');
    expect(used()).toEqual([]);
  });
});

describe('SQS', () => {
  test('is counted by queue and action in steps of 64 KB, and what found nothing apart', async () => {
    const { queueUrl: QueueUrl } = engines.createQueue('metered');
    const MessageBody = 'x'.repeat(50 * 1024);
    await engines.sqsClient.sendMessage({ QueueUrl, MessageBody: 'small' });
    await engines.sqsClient.sendMessageBatch({
      QueueUrl,
      Entries: ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody })),
    });
    const { Messages: messages = [] } = await engines.sqsClient.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
    });
    expect(messages).toHaveLength(4);
    await engines.sqsClient.deleteMessage({ QueueUrl, ReceiptHandle: messages[0]?.ReceiptHandle });
    await engines.sqsClient.receiveMessage({ QueueUrl });
    const missing = new SendMessageCommand({ QueueUrl: `${QueueUrl}-not`, MessageBody });
    await expect(engines.sqsClient.send(missing)).rejects.toThrow('does not exist');
    expect(used()).toEqual([
      'sqs-requests metered SendMessage operator: 1',
      'sqs-requests metered SendMessageBatch operator: 3',
      'sqs-requests metered ReceiveMessage operator: 3',
      'sqs-requests metered DeleteMessage operator: 1',
      'sqs-empty-receives metered ReceiveMessage operator: 1',
    ]);
  });
});

describe('what the host plays itself', () => {
  test('functions: requests, and memory times milliseconds that begin; none where throttled', () => {
    const invocation = { type: 'invocation', outcome: 'success', coldStart: false } as const;
    meter.onEvent({ ...invocation, functionName: 'big', milliseconds: 249.2 });
    meter.onEvent({ ...invocation, functionName: 'big', milliseconds: 250, outcome: 'error' });
    meter.onEvent({ ...invocation, functionName: 'small', milliseconds: 1000 });
    meter.onEvent({ ...invocation, functionName: 'small', milliseconds: 0, outcome: 'throttled' });
    expect(used()).toEqual([
      'lambda-requests big big: 2',
      'lambda-milliseconds big big: 500',
      'lambda-gigabyte-seconds big big: 0.5',
      'lambda-requests small small: 1',
      'lambda-milliseconds small small: 1000',
      'lambda-gigabyte-seconds small small: 0.25',
    ]);
  });

  test('requests of HTTP APIs by route, records of pipes that were sent, schedules', () => {
    const request = { type: 'http', apiId: 'api', method: 'GET', path: '/x', milliseconds: 1 } as const;
    meter.onEvent({ ...request, routeKey: 'GET /x' });
    meter.onEvent({ ...request, routeKey: undefined });
    meter.onEvent({ type: 'pipe', pipeName: 'pipe', size: 7, failed: 2 });
    meter.onEvent({ type: 'pipe', pipeName: 'pipe', size: 2, failed: 2 });
    meter.onEvent({ type: 'schedule', scheduleName: 'often' });
    expect(used()).toEqual([
      'http-api-requests api GET /x: 1',
      'http-api-requests api: 1',
      'pipe-requests pipe: 5',
      'scheduler-invocations often: 1',
    ]);
  });

  test('messages of WebSocket APIs in steps of 32 KB, and minutes of connections, open ones too', () => {
    const { connected, disconnected, message } = meter.webSockets;
    connected('live');
    connected('live');
    milliseconds += 90_000;
    disconnected('live');
    message('live', 'in', 10);
    message('live', 'out', 32 * 1024 + 1);
    milliseconds += 60_000;
    expect(used()).toEqual([
      'websocket-messages live in: 1',
      'websocket-messages live out: 2',
      'websocket-connection-minutes live: 4',
    ]);
  });
});

test('units are added up over the records that are wanted', () => {
  const record = (resource: string, count: number): UsageRecord => ({
    unit: 'sqs-requests',
    resource,
    part: '',
    by: '',
    count,
  });
  const records = [record('a', 1), record('b', 2), { ...record('a', 4), unit: 'pipe-requests' as const }];
  expect(unitsIn(records, 'sqs-requests')).toBe(3);
  expect(unitsIn(records, 'sqs-requests', ({ resource }) => resource === 'b')).toBe(2);
});
