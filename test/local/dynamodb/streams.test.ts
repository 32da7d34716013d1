import { PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, test } from '@jest/globals';
import { AwsCallError } from '../../../local/endpoint/index.ts';
import { canonicalText, itemBytes } from '../../../local/dynamodb/value.ts';
import { createDynamoDbStreams, type StreamViewType } from '../../../local/dynamodb/streams.ts';
import {
  isJsonList,
  isJsonObject,
  objectAt,
  textAt,
  type JsonObject,
} from '../../../local/template/template.ts';
import { startEngines } from './engines.ts';

// DynamoDB Streams: written through the SDK, read through the API. Each test has a table of its own.

type Item = Record<string, AttributeValue>;

const engines = await startEngines();
afterAll(() => engines.stop());

let tables = 0;

async function aTable(viewType: StreamViewType = 'NEW_AND_OLD_IMAGES') {
  tables += 1;
  const TableName = `Messages${tables}`;
  await engines.dynamoDb.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'room', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'room', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ],
  });
  const streamArn = engines.dynamoDb.streams.enable({
    tableName: TableName,
    keyNames: ['room', 'at'],
    viewType,
  });
  const send = engines.dynamoDbClient;
  const key = (room: string, at = 1): Item => ({ room: { S: room }, at: { N: String(at) } });
  return {
    TableName,
    streamArn,
    key,
    put: (room: string, more: Item = {}, at = 1) =>
      send.putItem({ TableName, Item: { ...key(room, at), ...more } }),
    update: (room: string, value: string, at = 1) =>
      send.updateItem({
        TableName,
        Key: key(room, at),
        UpdateExpression: 'SET #text = :text',
        ExpressionAttributeNames: { '#text': 'text' },
        ExpressionAttributeValues: { ':text': { S: value } },
      }),
    remove: (room: string, at = 1) => send.deleteItem({ TableName, Key: key(room, at) }),
    batch: (requests: object[]) => send.batchWriteItem({ RequestItems: { [TableName]: requests } }),
    records: (position: JsonObject = { ShardIteratorType: 'TRIM_HORIZON' }) => recordsOf(streamArn, position),
  };
}

function call(action: string, request: JsonObject): Promise<JsonObject> {
  const callAws = engines.endpoint.callAs('arn:aws:iam::000000000000:role/reader', 'test');
  return callAws(`DynamoDBStreams_20120810.${action}`, request);
}

async function shardOf(streamArn: string): Promise<string> {
  const description = await call('DescribeStream', { StreamArn: streamArn });
  const shards = objectAt(description, 'StreamDescription')['Shards'];
  const [shard] = isJsonList(shards) ? shards.filter(isJsonObject) : [];
  return textAt(shard ?? {}, 'ShardId') ?? '';
}

async function recordsOf(streamArn: string, position: JsonObject): Promise<readonly JsonObject[]> {
  const ShardId = await shardOf(streamArn);
  const { ShardIterator = null } = await call('GetShardIterator', {
    StreamArn: streamArn,
    ShardId,
    ...position,
  });
  const { Records } = await call('GetRecords', { ShardIterator });
  return isJsonList(Records) ? Records.filter(isJsonObject) : [];
}

const changes = (records: readonly JsonObject[]) =>
  records.map((record) => {
    const { Keys, NewImage, OldImage } = objectAt(record, 'dynamodb');
    return { eventName: record['eventName'], Keys, NewImage, OldImage };
  });

describe('a stream', () => {
  test('has one record per change: INSERT, MODIFY, REMOVE', async () => {
    const { put, update, remove, key, records } = await aTable();
    await put('a', { text: { S: 'one' } });
    await update('a', 'two');
    await put('a', { text: { S: 'three' } });
    await remove('a');
    const image = (text: string) => ({ ...key('a'), text: { S: text } });
    expect(changes(await records())).toEqual([
      { eventName: 'INSERT', Keys: key('a'), NewImage: image('one'), OldImage: undefined },
      { eventName: 'MODIFY', Keys: key('a'), NewImage: image('two'), OldImage: image('one') },
      { eventName: 'MODIFY', Keys: key('a'), NewImage: image('three'), OldImage: image('two') },
      { eventName: 'REMOVE', Keys: key('a'), NewImage: undefined, OldImage: image('three') },
    ]);
  });

  test('has records in the form that DynamoDB gives them', async () => {
    const { put, key, records } = await aTable('NEW_IMAGE');
    const before = Math.floor(Date.now() / 1000);
    await put('a', { text: { S: 'é' } });
    const [record] = await records();
    expect(record).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: key('a'),
        NewImage: { ...key('a'), text: { S: 'é' } },
        SequenceNumber: expect.stringMatching(/^\d{21,40}$/),
        // Keys, and the image: names and values.
        SizeBytes: 5 + 4 + (5 + 4 + 6),
        StreamViewType: 'NEW_IMAGE',
      },
    });
    const createdAt = Number(objectAt(record ?? {}, 'dynamodb')['ApproximateCreationDateTime']);
    expect(Number.isInteger(createdAt)).toBe(true);
    expect(createdAt).toBeGreaterThanOrEqual(before);
  });

  test.each([
    ['KEYS_ONLY', false, false],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
    ['NEW_AND_OLD_IMAGES', true, true],
  ] as const)('of %s has a new image: %s, an old one: %s', async (viewType, hasNew, hasOld) => {
    const { put, records } = await aTable(viewType);
    await put('a', { text: { S: 'one' } });
    await put('a', { text: { S: 'two' } });
    const last = (await records()).at(-1) ?? {};
    const { NewImage, OldImage, StreamViewType: said } = objectAt(last, 'dynamodb');
    expect([NewImage !== undefined, OldImage !== undefined, said]).toEqual([hasNew, hasOld, viewType]);
  });

  test('has no record of a write that changes nothing, or of a delete of a missing item', async () => {
    const { put, update, remove, batch, key, records } = await aTable();
    const item = {
      tags: { SS: ['x', 'y'] },
      text: { S: 'one' },
      map: { M: { a: { N: '1' }, b: { BOOL: true } } },
    };
    await put('a', item);
    await put('a', {
      text: item.text,
      map: { M: { b: { BOOL: true }, a: { N: '1' } } },
      tags: { SS: ['y', 'x'] },
    });
    await update('a', 'one');
    await remove('nobody');
    await batch([
      { DeleteRequest: { Key: key('nobody') } },
      { PutRequest: { Item: { ...key('a'), ...item } } },
    ]);
    expect(changes(await records()).map(({ eventName }) => eventName)).toEqual(['INSERT']);
  });

  test('has no record of a write whose condition failed', async () => {
    const { put, TableName, key, records } = await aTable();
    await put('a');
    const again = new PutItemCommand({
      TableName,
      Item: { ...key('a'), text: { S: 'again' } },
      ConditionExpression: 'attribute_not_exists(room)',
    });
    await expect(engines.dynamoDbClient.send(again)).rejects.toThrow('conditional');
    expect(await records()).toHaveLength(1);
  });

  test('has the records of BatchWriteItem', async () => {
    const { batch, key, records } = await aTable();
    await batch(['a', 'b'].map((room) => ({ PutRequest: { Item: key(room) } })));
    await batch([{ DeleteRequest: { Key: key('a') } }]);
    const found = changes(await records()).map(({ eventName, Keys }) => [eventName, Keys]);
    expect(found).toHaveLength(3);
    expect(found).toEqual(
      expect.arrayContaining([
        ['INSERT', key('a')],
        ['INSERT', key('b')],
        ['REMOVE', key('a')],
      ]),
    );
  });

  test('keeps the order of the writes to each item, whoever writes at once', async () => {
    const { update, records } = await aTable();
    await Promise.all(Array.from({ length: 60 }, (_, index) => update(`room${index % 3}`, `text${index}`)));
    const last = new Map<unknown, unknown>();
    const all = changes(await records());
    expect(all).toHaveLength(60);
    for (const { Keys, NewImage, OldImage } of all) {
      const item = JSON.stringify(Keys);
      // Each change begins where the one before it ended.
      expect(OldImage).toEqual(last.get(item));
      last.set(item, NewImage);
    }
  });

  test('answers sequence numbers that ascend, and reads on behind one of them', async () => {
    const { put, records } = await aTable();
    for (const at of [1, 2, 3]) await put('a', {}, at);
    const numbers = (await records()).map(
      (record) => textAt(objectAt(record, 'dynamodb'), 'SequenceNumber') ?? '',
    );
    expect(numbers.toSorted()).toEqual(numbers);
    const [first = '', second = ''] = numbers;
    const behind = await records({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: first });
    expect(behind).toHaveLength(2);
    expect(await records({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: second })).toEqual(
      behind,
    );
    expect(await records({ ShardIteratorType: 'LATEST' })).toEqual([]);
  });

  test('does not exist where no table has it', async () => {
    await expect(call('DescribeStream', { StreamArn: 'arn:aws:dynamodb:x' })).rejects.toThrow(AwsCallError);
    expect(await call('ListStreams', { TableName: 'Nothing' })).toEqual({ Streams: [] });
  });
});

describe('what a stream keeps', () => {
  const stream = (options: { now?: () => number; maximumRecords?: number }) => {
    const streams = createDynamoDbStreams({ accountId: '0', region: 'r', ...options });
    const arn = streams.enable({ tableName: 'T', keyNames: ['id'], viewType: 'KEYS_ONLY' });
    const ask = async (action: string, request: JsonObject): Promise<JsonObject> => {
      const caller = { kind: 'operator' } as const;
      const signal = AbortSignal.timeout(1000);
      const { body } = await streams.handle({ service: 'dynamodb', action, request, caller, signal });
      return isJsonObject(body) ? body : {};
    };
    return {
      write: (id: number) =>
        streams.append({ tableName: 'T', before: undefined, after: { id: { N: String(id) } } }),
      oldest: async () => {
        const description = objectAt(await ask('DescribeStream', { StreamArn: arn }), 'StreamDescription');
        const [shard] = isJsonList(description['Shards']) ? description['Shards'].filter(isJsonObject) : [];
        const position = { ShardIteratorType: 'TRIM_HORIZON', ShardId: shard?.['ShardId'] ?? null };
        const { ShardIterator = null } = await ask('GetShardIterator', { StreamArn: arn, ...position });
        const { Records } = await ask('GetRecords', { ShardIterator, Limit: 1 });
        const [record] = isJsonList(Records) ? Records.filter(isJsonObject) : [];
        return objectAt(objectAt(record ?? {}, 'dynamodb'), 'Keys')['id'];
      },
      ask,
      arn,
    };
  };

  test('is 24 hours old at most', async () => {
    let now = 0;
    const { write, oldest } = stream({ now: () => now });
    write(1);
    now = 3_600_000;
    write(2);
    now = 24 * 3_600_000 + 1;
    expect(await oldest()).toEqual({ N: '2' });
  });

  test('is bounded, and who asks for what is trimmed away is told so', async () => {
    const { write, oldest, ask, arn } = stream({ maximumRecords: 100 });
    for (let id = 1; id <= 1000; id += 1) write(id);
    const { N: first } = objectAt({ oldest: (await oldest()) ?? null }, 'oldest');
    expect(Number(first)).toBeGreaterThan(900);
    expect(Number(first)).toBeLessThanOrEqual(920);
    const answer = await ask('GetRecords', { ShardIterator: `${arn}#1` });
    expect(answer['__type']).toMatch(/#TrimmedDataAccessException$/);
  });
});

test('items are the same whatever the order of attributes and of the elements of sets, but not of lists', () => {
  const one = { a: { SS: ['x', 'y'] }, b: { M: { c: { N: '1' }, d: { L: [{ S: '1' }, { S: '2' }] } } } };
  const same = { b: { M: { d: { L: [{ S: '1' }, { S: '2' }] }, c: { N: '1' } } }, a: { SS: ['y', 'x'] } };
  const other = { ...one, b: { M: { c: { N: '1' }, d: { L: [{ S: '2' }, { S: '1' }] } } } };
  expect(canonicalText(one)).toBe(canonicalText(same));
  expect(canonicalText(one)).not.toBe(canonicalText(other));
  // A text and a number that read alike, and attributes that swap their values, are not the same.
  expect(canonicalText({ a: { S: '1' } })).not.toBe(canonicalText({ a: { N: '1' } }));
  expect(itemBytes({ ab: { B: 'AAAA' }, c: { NULL: true } })).toBe(2 + 3 + 1 + 1);
});

test('an item that expires leaves a record that names the service', async () => {
  const { TableName, streamArn } = await expiringTable();
  const send = engines.dynamoDbClient;
  const seconds = Math.floor(Date.now() / 1000);
  const put = (id: string, more: Item): Promise<unknown> =>
    send.putItem({ TableName, Item: { id: { S: id }, ...more } });
  await put('expired', { expiresAt: { N: String(seconds - 60) } });
  await put('alive', { expiresAt: { N: String(seconds + 60) } });
  await put('text', { expiresAt: { S: '1' } });
  await put('everlasting', {});
  engines.dynamoDb.expireItems();
  const { Items = [] } = await send.scan({ TableName });
  expect(Items.map(({ id }) => id?.S).toSorted()).toEqual(['alive', 'everlasting', 'text']);
  const last = (await recordsOf(streamArn, { ShardIteratorType: 'TRIM_HORIZON' })).at(-1);
  expect(last).toMatchObject({
    eventName: 'REMOVE',
    userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    dynamodb: { Keys: { id: { S: 'expired' } } },
  });
});

async function expiringTable() {
  const TableName = 'Expiring';
  const keys = {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  };
  const request = { TableName, BillingMode: 'PAY_PER_REQUEST', ...keys };
  await engines.dynamoDb.createTable(request, { timeToLiveAttribute: 'expiresAt' });
  const table = { tableName: TableName, keyNames: ['id'], viewType: 'KEYS_ONLY' } as const;
  return { TableName, streamArn: engines.dynamoDb.streams.enable(table) };
}
