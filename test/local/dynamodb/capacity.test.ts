import { DeleteItemCommand, type AttributeValue, type ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, test } from '@jest/globals';
import { itemBytes } from '../../../local/dynamodb/value.ts';
import { startEngines } from './engines.ts';

/**
 * Goal: what a request consumes is what DynamoDB bills on demand.
 * Method: asks for it, as any caller may, through the SDK; every expectation is counted by hand from the rules of the
 * developer guide ("DynamoDB read and write operations", "Using Global Secondary Indexes").
 */

const TableName = 'Things';
const ReturnConsumedCapacity = 'INDEXES';
const S = (value: string): AttributeValue => ({ S: value });
const N = (value: number): AttributeValue => ({ N: String(value) });
const text = (bytes: number): AttributeValue => S('x'.repeat(bytes));

const engines = await startEngines();
const index = (IndexName: string, range: string, Projection: object) => ({
  IndexName,
  KeySchema: [
    { AttributeName: IndexName === 'byNumber' ? 'user' : 'kind', KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ],
  Projection,
});
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['user', 'place', 'number', 'kind', 'at'].map((AttributeName) => ({
    AttributeName,
    AttributeType: AttributeName === 'number' ? 'N' : 'S',
  })),
  KeySchema: [
    { AttributeName: 'user', KeyType: 'HASH' },
    { AttributeName: 'place', KeyType: 'RANGE' },
  ],
  LocalSecondaryIndexes: [index('byNumber', 'number', { ProjectionType: 'KEYS_ONLY' })],
  GlobalSecondaryIndexes: [
    index('byKind', 'at', { ProjectionType: 'INCLUDE', NonKeyAttributes: ['amount'] }),
  ],
} as never);
afterAll(() => engines.stop());

type Fields = Record<string, AttributeValue>;
const key = (place: string): Fields => ({ user: S('ada'), place: S(place) });

const put = async (place: string, fields: Fields, condition?: string) => {
  const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.putItem({
    TableName,
    Item: { ...key(place), ...fields },
    ReturnConsumedCapacity,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
  });
  return units(consumed);
};
const update = async (place: string, expression: string, values?: Fields) => {
  const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.updateItem({
    TableName,
    Key: key(place),
    UpdateExpression: expression.replaceAll('at', '#at'),
    ReturnConsumedCapacity,
    ...(expression.includes('at') ? { ExpressionAttributeNames: { '#at': 'at' } } : {}),
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
  });
  return units(consumed);
};

/** `[table, byNumber, byKind]` */
function units(consumed: ConsumedCapacity | undefined): readonly (number | undefined)[] {
  const [table, local, global] = [
    consumed?.Table?.CapacityUnits ?? 0,
    consumed?.LocalSecondaryIndexes?.['byNumber']?.CapacityUnits ?? 0,
    consumed?.GlobalSecondaryIndexes?.['byKind']?.CapacityUnits ?? 0,
  ];
  expect(consumed?.CapacityUnits).toBe(table + local + global);
  return [table, local, global];
}

describe('the size of an item', () => {
  test.each([
    ['text in UTF-8, names too', { näme: S('€') }, 5 + 3],
    ['two digits of a number a byte, and one more', { n: N(12345) }, 1 + 3 + 1],
    ['zeros around a number are nothing', { n: S(''), m: { N: '0012000' } }, 1 + 1 + 1 + 1],
    ['a sign', { n: N(-12) }, 1 + 1 + 1 + 1],
    ['a fraction', { n: { N: '0.0012' } }, 1 + 1 + 1],
    ['binary data as it is', { b: { B: 'AAAA' } }, 1 + 3],
    ['truth values and nulls', { t: { BOOL: true }, n: { NULL: true } }, 1 + 1 + 1 + 1],
    ['a list: 3, and 1 for each element', { l: { L: [S('ab'), N(1)] } }, 1 + 3 + (1 + 2) + (1 + 2)],
    ['a map: 3, and 1 for each pair', { m: { M: { ab: S('c') } } }, 1 + 3 + 1 + 2 + 1],
    ['sets by their elements', { s: { SS: ['a', 'bc'] }, n: { NS: ['12', '1234'] } }, 1 + 3 + 1 + 2 + 3],
  ])('%s', (_, item, bytes) => {
    expect(itemBytes(item as never)).toBe(bytes);
  });
});

describe('a write', () => {
  test('of a new item takes a unit for each KB begun', async () => {
    expect(await put('small', {})).toEqual([1, 0, 0]);
    // 'user' 'ada' 'place' 'exact' 't' are 18 bytes.
    expect(await put('exact', { t: text(1024 - 18) })).toEqual([1, 0, 0]);
    expect(await put('exact', { t: text(1025 - 18) })).toEqual([2, 0, 0]);
  });

  test('in place of another takes the larger of both', async () => {
    await put('shrinks', { t: text(2500) });
    expect(await put('shrinks', {})).toEqual([3, 0, 0]);
    expect(await update('shrinks', 'SET t = :t', { ':t': text(1500) })).toEqual([2, 0, 0]);
    expect(await update('shrinks', 'REMOVE t')).toEqual([2, 0, 0]);
    expect(await update('shrinks', 'REMOVE t')).toEqual([1, 0, 0]);
  });

  test('of an item into an index takes its projected part: sparse indexes hold what has their keys', async () => {
    expect(await put('indexed', { number: N(1), kind: S('sale'), t: text(3000) })).toEqual([3, 1, 0]);
    const projected = { kind: S('sale'), at: S('1'), amount: text(1500), t: text(3000) };
    expect(await put('projected', projected)).toEqual([5, 0, 2]);
  });

  test('that changes an entry takes 1, that moves it 2, that changes nothing of it none', async () => {
    await put('entry', { kind: S('sale'), at: S('1'), amount: N(1) });
    expect(await update('entry', 'SET remark = :x', { ':x': N(1) })).toEqual([1, 0, 0]);
    expect(await update('entry', 'SET amount = :x', { ':x': N(2) })).toEqual([1, 0, 1]);
    expect(await update('entry', 'SET amount = :x', { ':x': N(2) })).toEqual([1, 0, 0]);
    expect(await update('entry', 'SET at = :x', { ':x': S('2') })).toEqual([1, 0, 2]);
    expect(await update('entry', 'REMOVE at')).toEqual([1, 0, 1]);
    expect(await update('entry', 'SET amount = :x', { ':x': N(3) })).toEqual([1, 0, 0]);
  });

  test('that deletes takes the size of what was there, and its entries', async () => {
    await put('deleted', { kind: S('sale'), at: S('1'), number: N(1), t: text(1500) });
    const deletion = new DeleteItemCommand({ TableName, Key: key('deleted'), ReturnConsumedCapacity });
    const { ConsumedCapacity: first } = await engines.dynamoDbClient.send(deletion);
    expect(units(first)).toEqual([2, 1, 1]);
    const { ConsumedCapacity: again } = await engines.dynamoDbClient.send(deletion);
    expect(units(again)).toEqual([1, 0, 0]);
  });

  test('in a batch takes as much as alone', async () => {
    const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.batchWriteItem({
      RequestItems: {
        [TableName]: [
          { PutRequest: { Item: { ...key('batch-1'), number: N(1), t: text(1500) } } },
          { PutRequest: { Item: { ...key('batch-2'), kind: S('sale'), at: S('1') } } },
          { DeleteRequest: { Key: key('batch-3') } },
        ],
      },
      ReturnConsumedCapacity,
    });
    expect(consumed?.map(units)).toEqual([[2 + 1 + 1, 1, 1]]);
  });
});

describe('a read', () => {
  const get = async (place: string, ConsistentRead: boolean) => {
    const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.getItem({
      TableName,
      Key: key(place),
      ConsistentRead,
      ReturnConsumedCapacity,
      ProjectionExpression: 'place',
    });
    return units(consumed);
  };

  test('takes a unit for 4 KB if consistent, else half of it, whatever of the item is answered', async () => {
    await put('big', { t: text(4096) });
    expect(await get('big', true)).toEqual([2, 0, 0]);
    expect(await get('big', false)).toEqual([1, 0, 0]);
    expect(await get('small', true)).toEqual([1, 0, 0]);
    expect(await get('no such', true)).toEqual([1, 0, 0]);
    expect(await get('no such', false)).toEqual([0.5, 0, 0]);
  });

  test('in a batch rounds each item up', async () => {
    const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.batchGetItem({
      RequestItems: {
        [TableName]: { Keys: ['big', 'small', 'none'].map(key), ConsistentRead: true },
      },
      ReturnConsumedCapacity,
    });
    expect(consumed?.map(units)).toEqual([[2 + 1 + 1, 0, 0]]);
  });

  test('by a query rounds up what was passed over in all, and an empty one is not free', async () => {
    for (const at of ['1', '2', '3']) {
      await put(`query-${at}`, { kind: S('refund'), at: S(at), amount: text(1500), t: text(3000) });
    }
    const query = async (kind: string) => {
      const { ConsumedCapacity: consumed, Items: items } = await engines.dynamoDbClient.query({
        TableName,
        IndexName: 'byKind',
        KeyConditionExpression: 'kind = :kind',
        FilterExpression: 'begins_with(amount, :none)',
        ExpressionAttributeValues: { ':kind': S(kind), ':none': S('no') },
        ReturnConsumedCapacity,
      });
      expect(items).toEqual([]);
      return units(consumed);
    };
    // Three entries of some 1.5 KB are two times 4 KB, read with eventual consistency.
    expect(await query('refund')).toEqual([0, 0, 1]);
    expect(await query('nothing')).toEqual([0, 0, 0.5]);
    const { ConsumedCapacity: consumed } = await engines.dynamoDbClient.query({
      TableName,
      KeyConditionExpression: '#user = :user AND begins_with(place, :query)',
      ExpressionAttributeNames: { '#user': 'user' },
      ExpressionAttributeValues: { ':user': S('ada'), ':query': S('query-') },
      ConsistentRead: true,
      ReturnConsumedCapacity,
    });
    // Three items of some 4.5 KB.
    expect(units(consumed)).toEqual([4, 0, 0]);
  });
});

test('nobody who did not ask is told', async () => {
  const answer = await engines.dynamoDbClient.scan({ TableName, Limit: 1 });
  expect(answer).not.toHaveProperty('ConsumedCapacity');
  const total = await engines.dynamoDbClient.scan({ TableName, Limit: 1, ReturnConsumedCapacity: 'TOTAL' });
  expect(total.ConsumedCapacity).toEqual({ TableName, CapacityUnits: 0.5 });
});
