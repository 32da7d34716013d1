import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, expect, test } from '@jest/globals';
import { startEngines } from './engines.ts';

// Amazon DynamoDB as programs meet it: through the SDK, on the endpoint. Tests share a table and keep to keys of their own.

const TableName = 'Readings';
type Item = Record<string, AttributeValue>;

const indexOf = (IndexName: string, hash: string, range: string, Projection: object) => ({
  IndexName,
  KeySchema: [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ],
  Projection: { ...Projection },
});

const engines = await startEngines();
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['station', 'at', 'kind', 'day'].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'station', KeyType: 'HASH' },
    { AttributeName: 'at', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    indexOf('byKind', 'kind', 'day', { ProjectionType: 'ALL' }),
    indexOf('keysByKind', 'kind', 'at', { ProjectionType: 'KEYS_ONLY' }),
    indexOf('valueByKind', 'kind', 'station', { ProjectionType: 'INCLUDE', NonKeyAttributes: ['value'] }),
  ],
  LocalSecondaryIndexes: [indexOf('byDay', 'station', 'day', { ProjectionType: 'KEYS_ONLY' })],
});
afterAll(() => engines.stop());

function reading(station: string, at: string, more: Item = {}): Item {
  return { station: { S: station }, at: { S: at }, ...more };
}

const put = (item: Item, more: object = {}) =>
  engines.dynamoDbClient.putItem({ TableName, Item: item, ...more });

const get = async (station: string, at: string): Promise<Item | undefined> =>
  (await engines.dynamoDbClient.getItem({ TableName, Key: reading(station, at), ConsistentRead: true })).Item;

async function queryAll(input: Partial<QueryCommandInput>): Promise<readonly Item[][]> {
  const pages: Item[][] = [];
  let ExclusiveStartKey: Item | undefined;
  do {
    const answer = await engines.dynamoDbClient.query({
      TableName,
      ...input,
      ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
    });
    pages.push(answer.Items ?? []);
    ExclusiveStartKey = answer.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return pages;
}

const texts = (items: readonly Item[], attribute: string) => items.map((item) => item[attribute]?.S);

const range = async (condition: string): Promise<string> => {
  const pages = await queryAll({
    KeyConditionExpression: `station = :station AND #at ${condition}`,
    ExpressionAttributeNames: { '#at': 'at' },
    ExpressionAttributeValues: {
      ':station': { S: 'range' },
      ':b': { S: 'b' },
      ...(condition.includes(':c') ? { ':c': { S: 'c' } } : {}),
    },
  });
  return texts(pages.flat(), 'at').join('');
};

const indexed = async (): Promise<number> =>
  (
    await queryAll({
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': { S: 'followed' } },
    })
  ).flat().length;

const through = async (IndexName: string): Promise<readonly string[]> => {
  const [[found = {}] = []] = await queryAll({
    IndexName,
    KeyConditionExpression: 'kind = :kind',
    ExpressionAttributeValues: { ':kind': { S: 'projected' } },
  });
  return Object.keys(found).toSorted((a, b) => a.localeCompare(b));
};

test('of two writers with attribute_not_exists the first one wins, and a failed condition can answer what stands', async () => {
  const condition = { ConditionExpression: 'attribute_not_exists(station)' };
  const attempts = await Promise.allSettled(
    ['a', 'b', 'c'].map((who) => put(reading('first', '1', { who: { S: who } }), condition)),
  );
  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const standing = await get('first', '1');
  const refusal = await put(reading('first', '1'), {
    ...condition,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ConditionalCheckFailedException);
  expect(refusal).toMatchObject({ Item: standing });
});

test('updates compute: if_not_exists, addition, nested paths, BETWEEN, size and IN in conditions', async () => {
  const update = (more: object) =>
    engines.dynamoDbClient.updateItem({
      TableName,
      Key: reading('update', '1'),
      ReturnValues: 'ALL_NEW',
      ...more,
    });
  const count = {
    UpdateExpression: 'SET #c = if_not_exists(#c, :zero) + :one',
    ExpressionAttributeNames: { '#c': 'count' },
    ExpressionAttributeValues: { ':zero': { N: '0' }, ':one': { N: '1' } },
  };
  await update(count);
  expect((await update(count)).Attributes?.['count']).toEqual({ N: '2' });
  await update({
    UpdateExpression: 'SET tags = :tags',
    ConditionExpression: '#c BETWEEN :low AND :high AND attribute_not_exists(tags)',
    ExpressionAttributeNames: { '#c': 'count' },
    ExpressionAttributeValues: {
      ':tags': { M: { a: { L: [{ S: 'x' }] } } },
      ':low': { N: '1' },
      ':high': { N: '2' },
    },
  });
  const { Attributes } = await update({
    UpdateExpression: 'SET tags.a[1] = :y REMOVE #c',
    ConditionExpression: 'size(tags.a) = :one AND #c IN (:one, :two)',
    ExpressionAttributeNames: { '#c': 'count' },
    ExpressionAttributeValues: { ':y': { S: 'y' }, ':one': { N: '1' }, ':two': { N: '2' } },
  });
  expect(Attributes).toEqual(reading('update', '1', { tags: { M: { a: { L: [{ S: 'x' }, { S: 'y' }] } } } }));
});

test('a query pages through a table and an index by Limit, in both directions, without loss or repetition', async () => {
  const days = Array.from({ length: 25 }, (_, index) => `day-${String(index).padStart(2, '0')}`);
  await Promise.all(
    days.map((day) => put(reading('paged', `at-${day}`, { kind: { S: 'paged' }, day: { S: day } }))),
  );
  for (const forward of [true, false]) {
    const wanted = forward ? days : days.toReversed();
    const pages = await queryAll({
      IndexName: 'byKind',
      Limit: 10,
      ScanIndexForward: forward,
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': { S: 'paged' } },
    });
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(texts(pages.flat(), 'day')).toEqual(wanted);
    const tablePages = await queryAll({
      Limit: 7,
      ScanIndexForward: forward,
      KeyConditionExpression: 'station = :station AND begins_with(#at, :prefix)',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':station': { S: 'paged' }, ':prefix': { S: 'at-' } },
    });
    expect(texts(tablePages.flat(), 'day')).toEqual(wanted);
  }
});

test('a query starts within a partition by <, <=, >, >= and BETWEEN', async () => {
  await Promise.all(['a', 'b', 'c', 'd'].map((at) => put(reading('range', at))));
  const answers = await Promise.all(['< :b', '<= :b', '> :b', '>= :b', 'BETWEEN :b AND :c'].map(range));
  expect(answers).toEqual(['a', 'ab', 'cd', 'bcd', 'bc']);
});

test('items of equal index key all stay in the index', async () => {
  const twins = ['twin-1', 'twin-2', 'twin-3'];
  await Promise.all(
    twins.map((station) => put(reading(station, '1', { kind: { S: 'twins' }, day: { S: 'same' } }))),
  );
  const pages = await queryAll({
    IndexName: 'byKind',
    Limit: 1,
    KeyConditionExpression: 'kind = :kind',
    ExpressionAttributeValues: { ':kind': { S: 'twins' } },
  });
  expect(new Set(texts(pages.flat(), 'station'))).toEqual(new Set(twins));
});

test('an index follows its items: sparse, changed, removed', async () => {
  await put(reading('follow', '1', { kind: { S: 'followed' } }));
  expect(await indexed()).toBe(0);
  await put(reading('follow', '1', { kind: { S: 'followed' }, day: { S: 'monday' } }));
  await put(reading('follow', '1', { kind: { S: 'followed' }, day: { S: 'tuesday' } }));
  expect(await indexed()).toBe(1);
  await engines.dynamoDbClient.deleteItem({ TableName, Key: reading('follow', '1') });
  expect(await indexed()).toBe(0);
});

test('an index answers what it projects', async () => {
  const item = reading('projected', '1', {
    kind: { S: 'projected' },
    day: { S: 'd' },
    value: { N: '7' },
    more: { S: 'x' },
  });
  await put(item);
  expect(await through('byKind')).toEqual(['at', 'day', 'kind', 'more', 'station', 'value']);
  expect(await through('keysByKind')).toEqual(['at', 'kind', 'station']);
  expect(await through('valueByKind')).toEqual(['at', 'kind', 'station', 'value']);
});

test('a consistent read works on the table and its local indexes, and is refused on a global one', async () => {
  await put(reading('consistent', '1', { day: { S: 'd' } }));
  const consistent = { ConsistentRead: true, KeyConditionExpression: 'station = :station' };
  const values = { ExpressionAttributeValues: { ':station': { S: 'consistent' } } };
  expect((await queryAll({ ...consistent, ...values, IndexName: 'byDay' })).flat()).toHaveLength(1);
  const attempt = queryAll({
    IndexName: 'byKind',
    ConsistentRead: true,
    KeyConditionExpression: 'kind = :kind',
    ExpressionAttributeValues: { ':kind': { S: 'consistent' } },
  });
  await expect(attempt).rejects.toThrow('Consistent reads are not supported on global secondary indexes');
});

test('BatchGetItem answers the items that exist', async () => {
  await Promise.all(['1', '2'].map((at) => put(reading('batch', at))));
  const { Responses } = await engines.dynamoDbClient.batchGetItem({
    RequestItems: { [TableName]: { Keys: ['1', '2', '3'].map((at) => reading('batch', at)) } },
  });
  expect(new Set(texts(Responses?.[TableName] ?? [], 'at'))).toEqual(new Set(['1', '2']));
});

test('a scan sees every item once', async () => {
  await Promise.all(Array.from({ length: 25 }, (_, n) => put(reading(`scanned-${n}`, '1'))));
  let start: Item | undefined;
  const keys = new Set<string>();
  let seen = 0;
  do {
    const { Items = [], LastEvaluatedKey } = await engines.dynamoDbClient.scan({
      TableName,
      Limit: 10,
      ...(start ? { ExclusiveStartKey: start } : {}),
    });
    for (const item of Items) keys.add(`${item['station']?.S} ${item['at']?.S}`);
    seen += Items.length;
    start = LastEvaluatedKey;
  } while (start !== undefined);
  expect(keys.size).toBe(seen);
  expect(seen).toBeGreaterThanOrEqual(25);
});

test('an operation or a parameter that the host lacks is refused by name, and nothing is written', async () => {
  const transaction = engines.dynamoDbClient.transactWriteItems({
    TransactItems: [{ Put: { TableName, Item: reading('transaction', '1') } }],
  });
  await expect(transaction).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: expect.stringContaining('TransactWriteItems'),
  });
  const parameter = await engines.dynamoDb.handle({
    service: 'dynamodb',
    action: 'PutItem',
    request: { TableName, Item: { station: { S: 'parameter' }, at: { S: '1' } }, Novelty: true },
    caller: { kind: 'operator' },
    signal: new AbortController().signal,
  });
  expect(parameter).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('Novelty of PutItem') },
  });
  expect([await get('transaction', '1'), await get('parameter', '1')]).toEqual([undefined, undefined]);
  const { TimeToLiveDescription } = await engines.dynamoDbClient.describeTimeToLive({ TableName });
  expect(TimeToLiveDescription?.TimeToLiveStatus).toBe('DISABLED');
});

test('reads of a partition cost what the partition holds, not what the table holds', async () => {
  await Promise.all(Array.from({ length: 100 }, (_, at) => put(reading('small', String(at)))));
  const before = process.cpuUsage();
  for (let round = 0; round < 100; round += 1) {
    const pages = await queryAll({
      KeyConditionExpression: 'station = :station',
      ExpressionAttributeValues: { ':station': { S: 'small' } },
    });
    expect(pages.flat()).toHaveLength(100);
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(5000);
});
