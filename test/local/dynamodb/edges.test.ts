import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  GetItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { AttributeValue, QueryCommandInput, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEngines } from './engines.ts';

/**
 * Goal: what DynamoDB refuses, and what it counts, the host refuses and counts.
 * Method: each edge from both sides through the SDK. Sources: the developer guide ("Constraints", "Using Global
 * Secondary Indexes", "Local Secondary Indexes") and what DynamoDB Local answers to the same call.
 */

type Item = Record<string, AttributeValue>;
const TableName = 'Edges';
const S = (value: string): AttributeValue => ({ S: value });
const N = (value: number | string): AttributeValue => ({ N: String(value) });
const key = (pk: string, sk = '1'): Item => ({ pk: S(pk), sk: S(sk) });
const index = (IndexName: string, [hash, range]: readonly string[], Projection: object) => ({
  IndexName,
  KeySchema: [
    { AttributeName: hash ?? '', KeyType: 'HASH' },
    ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
  ],
  Projection: { ...Projection },
});

const engines = await startEngines();
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'g', 'h', 'b'].map((AttributeName) => ({
    AttributeName,
    AttributeType: AttributeName === 'b' ? 'B' : 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    index('byG', ['g', 'h'], { ProjectionType: 'INCLUDE', NonKeyAttributes: ['held'] }),
    index('byB', ['b'], { ProjectionType: 'KEYS_ONLY' }),
  ],
  LocalSecondaryIndexes: [index('byH', ['pk', 'h'], { ProjectionType: 'KEYS_ONLY' })],
});
afterAll(() => engines.stop());

const put = (item: Item, more: object = {}) =>
  engines.dynamoDbClient.putItem({ TableName, Item: item, ...more });
const update = (pk: string, more: Partial<UpdateItemCommandInput>) =>
  engines.dynamoDbClient.updateItem({ TableName, Key: key(pk), ...more });
const query = (KeyConditionExpression: string, values: Item, more: Partial<QueryCommandInput> = {}) =>
  engines.dynamoDbClient.query({
    TableName,
    KeyConditionExpression,
    ExpressionAttributeValues: values,
    ...more,
  });
const get = async (pk: string): Promise<Item | undefined> =>
  (await engines.dynamoDbClient.getItem({ TableName, Key: key(pk) })).Item;

async function refused(call: Promise<unknown>, message: string): Promise<void> {
  await expect(call).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining(message),
  });
}

describe('an index', () => {
  beforeAll(async () => {
    await put({ ...key('indexed'), g: S('g'), h: S('h'), held: S('x'), more: S('y') });
  });
  const ofG = ['g = :g', { ':g': S('g') }] as const;
  const ofPk = ['pk = :pk', { ':pk': S('indexed') }] as const;

  test('that is global refuses to project what it does not hold, by a query and by a scan', async () => {
    const text = 'Global secondary index byG does not project [more, pk2]';
    await refused(query(...ofG, { IndexName: 'byG', ProjectionExpression: 'held, more, pk2' }), text);
    const scan = new ScanCommand({ TableName, IndexName: 'byG', ProjectionExpression: 'more, pk2' });
    await refused(engines.dynamoDbClient.send(scan), text);
    const { Items } = await query(...ofG, { IndexName: 'byG', ProjectionExpression: 'held, pk, h' });
    expect(Items).toEqual([{ held: S('x'), pk: S('indexed'), h: S('h') }]);
  });

  test('refuses to filter a query by what it does not hold; a scan sees it as missing', async () => {
    const filter = { FilterExpression: 'attribute_exists(more)' };
    const text = (name: string) =>
      `Secondary index ${name} does not project one or more filter attributes: [more]`;
    await refused(query(...ofG, { IndexName: 'byG', ...filter }), text('byG'));
    await refused(query(...ofPk, { IndexName: 'byH', ...filter }), text('byH'));
    const scan = new ScanCommand({ TableName, IndexName: 'byG', ...filter });
    expect(await engines.dynamoDbClient.send(scan)).toMatchObject({ Count: 0, ScannedCount: 1 });
    const held = await query(...ofG, { IndexName: 'byG', FilterExpression: 'attribute_exists(held)' });
    expect(held.Count).toBe(1);
  });

  test('that is local fetches from its table what is projected beyond it, at the price of a read', async () => {
    const { Items, ConsumedCapacity } = await query(...ofPk, {
      IndexName: 'byH',
      ProjectionExpression: 'more',
      ReturnConsumedCapacity: 'INDEXES',
    });
    expect(Items).toEqual([{ more: S('y') }]);
    expect(ConsumedCapacity).toMatchObject({
      CapacityUnits: 1,
      Table: { CapacityUnits: 0.5 },
      LocalSecondaryIndexes: { byH: { CapacityUnits: 0.5 } },
    });
    const all = await query(...ofPk, { IndexName: 'byH', Select: 'ALL_ATTRIBUTES' });
    expect(all.Items?.[0]).toHaveProperty('more');
    const own = await query(...ofPk, { IndexName: 'byH' });
    expect(own.Items).toEqual([{ ...key('indexed'), h: S('h') }]);
  });
});

describe('a key', () => {
  test('is not empty: of the table, of an index, by put, update, batch and condition', async () => {
    const empty = 'cannot contain an empty string value';
    await refused(put({ ...key('e'), g: S('') }), `${empty}. IndexName: byG, IndexKey: g`);
    await refused(put({ ...key('e'), b: { B: new Uint8Array() } }), 'an empty binary value. IndexName: byB');
    const set = (expression: string) =>
      update('e', { UpdateExpression: expression, ExpressionAttributeValues: { ':e': S('') } });
    await refused(set('SET h = :e'), empty);
    await refused(set('SET h = if_not_exists(h, :e)'), empty);
    const batch = [{ PutRequest: { Item: { ...key('e'), g: S('') } } }];
    const write = new BatchWriteItemCommand({ RequestItems: { [TableName]: batch } });
    await refused(engines.dynamoDbClient.send(write), empty);
    const read = new GetItemCommand({ TableName, Key: key('') });
    await refused(engines.dynamoDbClient.send(read), `${empty}. Key: pk`);
    await refused(query('pk = :e', { ':e': S('') }), `${empty}. Key: pk`);
    await refused(query('g = :e', { ':e': S('') }, { IndexName: 'byG' }), 'IndexName: byG, IndexKey: g');
    for (const on of ['sk = :e', 'sk > :e', 'begins_with(sk, :e)', 'sk BETWEEN :e AND :p']) {
      const values = { ':e': S(''), ':p': S('p') };
      const call = query(`pk = :p AND ${on}`, values);
      await refused(call, `${empty}. Key: sk`);
    }
    expect(await get('e')).toBeUndefined();
  });

  test.each([
    ['partition key', 2048, (text: string) => ({ ...key(text) }), 'Size of hashkey'],
    ['sort key', 1024, (text: string) => ({ ...key('k', text) }), 'Aggregated size of all range keys'],
    ['partition key of an index', 2048, (text: string) => ({ ...key('k'), g: S(text) }), 'Size of hashkey'],
    ['sort key of an index', 1024, (text: string) => ({ ...key('k'), h: S(text) }), 'Aggregated size'],
  ])('of %s has up to %i bytes, not characters', async (_, bytes, item, text) => {
    await put(item('é'.repeat(bytes / 2)));
    await refused(put(item('é'.repeat(bytes / 2 + 1))), text);
    await put(item('x'.repeat(bytes)));
    await refused(put(item('x'.repeat(bytes + 1))), text);
  });

  test('of an index is checked when an update sets it', async () => {
    const set = (value: AttributeValue) =>
      update('k', { UpdateExpression: 'SET h = :v', ExpressionAttributeValues: { ':v': value } });
    await refused(set(S('x'.repeat(1025))), 'Aggregated size');
    await refused(set(N(1)), 'Type mismatch for Index Key h');
    await put({ ...key('k'), n: N(1) });
    await refused(update('k', { UpdateExpression: 'SET h = n' }), 'to unsupported type');
  });

  test('orders by the bytes of its text, and numbers by their value', async () => {
    const texts = ['Z', 'a', 'é', 'ﬀ', '😀', 'a\0b', 'a\0', 'ab'];
    for (const text of texts) await put({ ...key('ordered', text) });
    const { Items = [] } = await query('pk = :pk', { ':pk': S('ordered') });
    expect(Items.map(({ sk }) => sk?.S)).toEqual(
      texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });
});

describe('sizes are in bytes', () => {
  const overhead = 'pk,size,sk,1,t'.replaceAll(',', '').length;
  const atLimit = 'é'.repeat((409_600 - overhead) / 2);

  test('of an item, by put and by update', async () => {
    await put({ ...key('size'), t: S(atLimit) });
    await refused(put({ ...key('size'), t: S(`${atLimit}x`) }), 'Item size has exceeded');
    const set = (text: string) =>
      update('size', { UpdateExpression: 'SET t = :t', ExpressionAttributeValues: { ':t': S(text) } });
    await set(atLimit);
    await refused(set(`${atLimit}x`), 'Item size to update has exceeded');
  });

  test('of a page, which ends with the item that fills its megabyte', async () => {
    const text = S('é'.repeat(50_000));
    for (let n = 0; n < 13; n += 1) await put({ ...key('page', String(n).padStart(2, '0')), t: text });
    const page = await query(
      'pk = :pk',
      { ':pk': S('page') },
      { Select: 'COUNT', ReturnConsumedCapacity: 'TOTAL' },
    );
    expect(page.Count).toBe(11);
    expect(page.LastEvaluatedKey).toEqual(key('page', '10'));
    // 11 items of 100,011 bytes, in units of 4 KB, eventually consistent.
    expect(page.ConsumedCapacity?.CapacityUnits).toBe(Math.ceil((11 * 100_011) / 4096) / 2);
    const filtered = await query(
      'pk = :pk',
      { ':pk': S('page'), ':none': S('none') },
      { FilterExpression: 't = :none' },
    );
    expect(filtered).toMatchObject({ Count: 0, ScannedCount: 11, LastEvaluatedKey: key('page', '10') });
  });

  test('of a batch of reads: 16 MB, and what is beyond is left for another', async () => {
    const keys = Array.from({ length: 43 }, (_, n) => key('batch', String(n)));
    for (const each of keys) await put({ ...each, t: S('x'.repeat(400_000)) });
    const request = { Keys: keys, ProjectionExpression: 'sk' };
    const { Responses, UnprocessedKeys } = await engines.dynamoDbClient.batchGetItem({
      RequestItems: { [TableName]: request },
    });
    expect(Responses?.[TableName]).toHaveLength(41);
    expect(UnprocessedKeys?.[TableName]).toMatchObject({ ProjectionExpression: 'sk' });
    expect(UnprocessedKeys?.[TableName]?.Keys).toHaveLength(2);
  });
});

describe('limits', () => {
  const nested = (levels: number): AttributeValue =>
    levels === 1 ? S('x') : levels % 2 === 0 ? { M: { a: nested(levels - 1) } } : { L: [nested(levels - 1)] };

  test('32 levels of nesting, put, set or grown', async () => {
    const text = 'Nesting Levels have exceeded supported limits';
    await put({ ...key('deep'), m: nested(32) });
    await refused(put({ ...key('deep'), m: nested(33) }), text);
    const set = (path: string, value: AttributeValue) =>
      update('deep', { UpdateExpression: `SET ${path} = :v`, ExpressionAttributeValues: { ':v': value } });
    await refused(set('m', nested(33)), text);
    await refused(set('m.a', nested(32)), text);
    await set('m.a', nested(31));
  });

  test('4 KB of an expression, 300 operators, 100 operands of IN', async () => {
    const padded = (bytes: number) => 'attribute_exists(pk)'.padEnd(bytes);
    const condition = (ConditionExpression: string, values?: Item) =>
      update('deep', { ConditionExpression, ...(values ? { ExpressionAttributeValues: values } : {}) });
    await condition(padded(4096));
    await refused(condition(padded(4097)), 'Invalid ConditionExpression: Expression size has exceeded');
    const projection = new GetItemCommand({
      TableName,
      Key: key('deep'),
      ProjectionExpression: 'm'.padEnd(4097),
    });
    await refused(engines.dynamoDbClient.send(projection), 'Invalid ProjectionExpression: Expression size');
    const batch = { Keys: [key('deep')], ProjectionExpression: 'm'.padEnd(4097) };
    const batchGet = new BatchGetItemCommand({ RequestItems: { [TableName]: batch } });
    await refused(engines.dynamoDbClient.send(batchGet), 'Invalid ProjectionExpression: Expression size');
    const many = (count: number) => Array.from({ length: count }, () => 'pk<>sk').join(' OR ');
    await condition(many(150));
    await refused(condition(many(151)), 'too many operators; operator count: 301');
    const names = (count: number) => Array.from({ length: count }, (_, n) => `:v${n}`);
    const values = (count: number) => Object.fromEntries(names(count).map((name) => [name, S('deep')]));
    await condition(`pk IN (${names(100).join()})`, values(100));
    await refused(condition(`pk IN (${names(101).join()})`, values(101)), 'number of operands: 101');
  });
});

test('an expression without sense is refused, whatever the item', async () => {
  const condition = (ConditionExpression: string, value?: AttributeValue) =>
    update('none', {
      ConditionExpression,
      ...(value === undefined ? {} : { ExpressionAttributeValues: { ':v': value } }),
    });
  const wrongType = 'Incorrect operand type for operator or function; operator or function:';
  await refused(condition('x < :v', { SS: ['a'] }), `${wrongType} <, operand type: SS`);
  await refused(condition('x BETWEEN y AND :v', { L: [] }), `${wrongType} BETWEEN, operand type: L`);
  const notDistinct = 'The first operand must be distinct from the remaining operands';
  await refused(condition('x BETWEEN y AND x'), notDistinct);
  await refused(condition('x IN (y, x)'), notDistinct);
  const set = (expression: string) => update('none', { UpdateExpression: `SET r = ${expression}` });
  await refused(set('if_not_exists(x, x)'), notDistinct);
  const misused = 'The function is not allowed to be used this way in an expression; function: list_append';
  await refused(set('if_not_exists(x, list_append(y, y))'), misused);
  await refused(set('list_append(list_append(y, y), y)'), misused);
  await put({ ...key('none'), x: N(1) });
  await refused(set('if_not_exists(x, y)'), 'refers to an attribute that does not exist');
});

describe('a condition', () => {
  const isMet = async (ConditionExpression: string, values?: Item): Promise<boolean> =>
    update('condition', {
      ConditionExpression,
      ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
    }).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ name: 'ConditionalCheckFailedException' });
        return false;
      },
    );

  test('finds nothing equal to what is missing, and everything different from it', async () => {
    await put({ ...key('condition'), x: S('x'), n: N(5) });
    const met = ['u <> w', 'x <> w', 'NOT u = w', 'size(u) <> size(w)'];
    const missed = [
      ...['u = w', 'u < w', 'u <= w', 'u >= w', 'u > w', 'u = x', 'size(u) = size(w)', 'u IN (w, x)'],
      ...['u BETWEEN w AND w', 'contains(u, w)', 'contains(x, w)', 'begins_with(u, w)', 'begins_with(x, w)'],
      ...['n < x', 'size(n) < x'],
    ];
    for (const each of met) expect([each, await isMet(each)]).toEqual([each, true]);
    for (const each of missed) expect([each, await isMet(each)]).toEqual([each, false]);
  });

  test('on what is missing can be a filter, and the host lives on', async () => {
    const scan = new ScanCommand({ TableName, FilterExpression: 'begins_with(u, w)', Select: 'COUNT' });
    expect((await engines.dynamoDbClient.send(scan)).Count).toBe(0);
  });

  test('compares deep values whatever their order', async () => {
    const value: AttributeValue = { M: { a: { SS: ['x', 'y'] }, b: { L: [N('1.0'), { NULL: true }] } } };
    const same: AttributeValue = { M: { b: { L: [N(1), { NULL: true }] }, a: { SS: ['y', 'x'] } } };
    await put({ ...key('condition'), v: value, l: { L: [value] } });
    expect(await isMet('v = :v AND contains(l, :v)', { ':v': same })).toBe(true);
  });
});

describe('a number', () => {
  const set = (UpdateExpression: string, values: Item) =>
    update('number', { UpdateExpression, ExpressionAttributeValues: values, ReturnValues: 'UPDATED_NEW' });
  const most = '9'.repeat(38);

  test('that is too large, too small or too long is refused, stored or computed', async () => {
    for (const [text, problem] of [
      ['1e126', 'Number overflow'],
      ['-1E+126', 'Number overflow'],
      ['1e-131', 'Number underflow'],
      [`${most}9`, '38 significant digits'],
      ['0x5', 'cannot be converted'],
      ['', 'cannot be converted'],
    ] as const) {
      await refused(put({ ...key('number'), n: N(text) }), problem);
      await refused(put({ ...key('number'), l: { L: [{ NS: [text] }] } }), problem);
    }
    await put({ ...key('number'), n: N(most), m: N('9e125') });
    await refused(set('SET r = n + :v', { ':v': N(2) }), '38 significant digits');
    await refused(set('ADD n :v', { ':v': N('0.1') }), '38 significant digits');
    await refused(set('ADD m :v', { ':v': N('9e125') }), 'Number overflow');
    await refused(set('SET r = m + :v', { ':v': N('1e-130') }), '38 significant digits');
    expect((await set('ADD n :v', { ':v': N(1) })).Attributes).toEqual({ n: N(`1${'0'.repeat(38)}`) });
    expect((await set('SET r = :a - :b', { ':a': N('0.1'), ':b': N('0.3') })).Attributes).toEqual({
      r: N('-0.2'),
    });
  });

  test.each([
    ['00012', '12'],
    ['1.50', '1.5'],
    ['+5', '5'],
    ['-0', '0'],
    ['0e999', '0'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1E+5', '100000'],
    ['-1.25e-3', '-0.00125'],
    ['123456789012345678901234567890123456780', '123456789012345678901234567890123456780'],
  ])('%s is answered as %s', async (written, read) => {
    await put({ ...key('number'), n: N(written) });
    expect((await get('number'))?.['n']).toEqual(N(read));
  });
});

describe('what an answer may hold', () => {
  test('is checked: ReturnValues, ReturnValuesOnConditionCheckFailure, Select', async () => {
    await put(key('values'));
    const remove = (ReturnValues: string) =>
      engines.dynamoDbClient.deleteItem({
        TableName,
        Key: key('values'),
        ReturnValues: ReturnValues as 'ALL_OLD',
      });
    for (const value of ['ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW']) {
      await refused(remove(value), 'ReturnValues can only be ALL_OLD or NONE');
    }
    await refused(
      put(key('values'), { ReturnValuesOnConditionCheckFailure: 'ALL_NEW' }),
      "'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]",
    );
    expect(await get('values')).toEqual(key('values'));
    const select = (Select: string, more: object = {}) =>
      query('pk = :pk', { ':pk': S('values') }, { Select: Select as 'COUNT', ...more });
    const projection = { ProjectionExpression: 'sk' };
    await refused(select('SOME'), 'Member must satisfy enum value set');
    await refused(select('SPECIFIC_ATTRIBUTES'), 'Must specify the AttributesToGet or ProjectionExpression');
    await refused(select('COUNT', projection), 'when choosing to get only the Count');
    await refused(select('ALL_ATTRIBUTES', projection), 'when choosing to get ALL_ATTRIBUTES');
    await refused(select('ALL_PROJECTED_ATTRIBUTES'), 'only when Querying using an IndexName');
    expect((await select('SPECIFIC_ATTRIBUTES', projection)).Items).toEqual([{ sk: S('1') }]);
  });

  test.each(['UPDATED_OLD', 'UPDATED_NEW'] as const)(
    '%s of nothing has no attributes',
    async (ReturnValues) => {
      const nothing = await update('values', { UpdateExpression: 'REMOVE nothing', ReturnValues });
      expect(nothing).not.toHaveProperty('Attributes');
    },
  );
});

test('actions of one update all see the item as it was: places in a list stay until all are done', async () => {
  const list = (...texts: readonly string[]): AttributeValue => ({ L: texts.map(S) });
  await put({ ...key('list'), l: list('a', 'b', 'c', 'd'), head: S('f') });
  const { Attributes } = await update('list', {
    UpdateExpression: 'SET l[3] = head, l[9] = l[1], l[7] = l[0], head = l[2] REMOVE l[0], l[2]',
    ReturnValues: 'ALL_NEW',
  });
  expect(Attributes).toEqual({ ...key('list'), l: list('b', 'f', 'a', 'b'), head: S('c') });
});
