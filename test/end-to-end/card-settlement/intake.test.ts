import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { daysAgo, noonOf, sale, startSystem, textOf, type System } from '../system.ts';

/**
 * Goal: what is accepted is there once, seen by those it is for, and found again page by page and in the settlement
 * file. Method: the whole app on the local host, through HTTP as a gateway and as an operator.
 */

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

async function post(body: unknown, key: string) {
  return system.call('gateway', 'POST', '/transactions', { body, headers: { 'idempotency-key': key } });
}

function stagedTable(): string {
  return system.outputs.DuotempoCardSettlement['StagedTransactionsTable'] ?? '';
}

async function stagedOf(merchantId: string): Promise<Record<string, unknown>[]> {
  return (await system.scan(stagedTable())).filter((item) => item['merchantId'] === merchantId);
}

function itemsOf(body: unknown): Record<string, unknown>[] {
  const items: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'items') : undefined;
  if (!Array.isArray(items)) throw new Error(`The answer has no items: ${JSON.stringify(body)}`);
  return items.map((item: object) => ({ ...item }));
}

async function pagesOf(path: string, limit: number): Promise<Record<string, unknown>[][]> {
  const pages: Record<string, unknown>[][] = [];
  for (let cursor = ''; ;) {
    const { status, body } = await system.call('gateway', 'GET', `${path}?limit=${limit}${cursor}`);
    expect(status).toBe(200);
    pages.push(itemsOf(body));
    if (typeof body !== 'object' || body === null || !('cursor' in body)) return pages;
    cursor = `&cursor=${encodeURIComponent(textOf(body, 'cursor'))}`;
    if (pages.length > 50) throw new Error('The list does not end.');
  }
}

describe('a transaction that is accepted', () => {
  test('is found where the answer says, as it was sent, and staged', async () => {
    const occurredAt = `${daysAgo(system, 1)}T14:00:00.250+05:45`;
    const body = sale({
      occurredAt,
      merchantCountry: 'NP',
      location: { latitude: 27.717_2, longitude: 85.324 },
    });
    const { status, headers, body: answer } = await post(body, randomUUID());
    expect(status).toBe(201);
    const transactionId = textOf(answer, 'transactionId');
    expect(answer).toEqual({ transactionId, businessDate: daysAgo(system, 1), status: 'staged' });
    expect(headers.location).toBe(`/transactions/${transactionId}`);
    expect(headers['idempotent-replayed']).toBeUndefined();
    const found = await system.call('gateway', 'GET', headers.location ?? '');
    expect(found).toMatchObject({
      status: 200,
      body: { ...body, transactionId, businessDate: daysAgo(system, 1), status: 'staged', entries: [] },
    });
    expect(Object.keys(Object(found.body))).not.toEqual(expect.arrayContaining(['clientId']));
  });

  test('is replayed to the same key and body, however the body is written', async () => {
    const key = randomUUID();
    const body = sale();
    const first = await post(body, key);
    const turned = JSON.stringify(Object.fromEntries(Object.entries(body).toReversed()), undefined, 2);
    const again = await post(turned.replace('497', '4.97e2'), key);
    expect(again.status).toBe(200);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.body).toEqual(first.body);
  });

  test('is refused to the same key with another body, and stays as it was', async () => {
    const merchantId = `mer_${randomUUID()}`;
    await post(sale({ merchantId }), 'key-1');
    const before = await stagedOf(merchantId);
    const other = await post(sale({ merchantId, amount: 498 }), 'key-1');
    expect(other.status).toBe(422);
    expect(textOf(other.body, 'type')).toMatch(/idempotency-key-reused$/);
    expect(await stagedOf(merchantId)).toEqual(before);
  });

  test('is there once when thirty requests come at once', async () => {
    const merchantId = `mer_${randomUUID()}`;
    const body = sale({ merchantId });
    const answers = await Promise.all(Array.from({ length: 30 }, async () => post(body, 'key-1')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(29);
    expect(new Set(answers.map((answer) => textOf(answer.body, 'transactionId'))).size).toBe(1);
    expect(await stagedOf(merchantId)).toHaveLength(1);
  });
});

describe('a transaction', () => {
  test('is seen by the operator, and by no client but its own', async () => {
    const transactionId = await system.stage();
    const path = `/transactions/${transactionId}`;
    expect((await system.call('gateway', 'GET', path)).status).toBe(200);
    expect((await system.call('operator', 'GET', path)).status).toBe(200);
    await system.dynamodb.updateItem({
      TableName: stagedTable(),
      Key: { transactionId: { S: transactionId } },
      UpdateExpression: 'SET clientId = :another',
      ExpressionAttributeValues: { ':another': { S: 'another-client' } },
    });
    const hidden = await system.call('gateway', 'GET', path);
    const absent = await system.call('gateway', 'GET', '/transactions/none');
    // That there is something must not show either.
    expect(hidden.status).toBe(404);
    expect(hidden.body).toEqual(absent.body);
    expect((await system.call('operator', 'GET', path)).status).toBe(200);
  });
});

describe('lists', () => {
  test('of business days have the newest first, page by page', async () => {
    const dates = [20, 22, 24, 26, 28].map((days) => daysAgo(system, days));
    await Promise.all(dates.map(async (date) => system.stage({ occurredAt: noonOf(date) })));
    const [all = []] = await pagesOf('/business-days', 100);
    const listed = all.map((day) => textOf(day, 'businessDate'));
    expect(listed).toEqual(listed.toSorted().toReversed());
    expect(listed).toEqual(expect.arrayContaining(dates));
    const pages = await pagesOf('/business-days', 2);
    expect(pages.flat()).toEqual(all);
    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
    expect(all[0]).toMatchObject({ status: 'open', revision: 1, breaks: [] });
  });

  test('of a settlement are the same before and after it is final, page by page, and as a file', async () => {
    const date = daysAgo(system, 6);
    // Names that begin with each other's; "m-1" sorts before "m1", and after "m".
    const merchants = ['m', 'm-1', 'm1', 'm_1', 'other'];
    const sales = merchants.flatMap((merchantId, index) =>
      Array.from({ length: index + 1 }, (_, number) => ({
        merchantId,
        amount: 100 * (index + 1) + number,
        currency: number % 2 === 0 ? 'USD' : 'JPY',
      })),
    );
    await Promise.all(sales.map(async (fields) => system.stage({ ...fields, occurredAt: noonOf(date) })));

    expect((await fileOf(date))[0]).toMatchObject([
      'H',
      'duotempo',
      '1',
      date,
      'preliminary',
      expect.any(String),
    ]);
    expect((await system.call('operator', 'POST', `/business-days/${date}/reconcile`)).status).toBe(202);
    await system.dayWith(date, ({ totals }) => JSON.stringify(totals).includes('"settled":{"count":6'));
    const wanted = merchants.flatMap((merchantId) =>
      ['JPY', 'USD'].flatMap((currency) => {
        const own = sales.filter((each) => each.merchantId === merchantId && each.currency === currency);
        const gross = String(own.reduce((sum, { amount }) => sum + amount, 0));
        return own.length === 0
          ? []
          : [{ merchantId, currency, count: own.length, gross, fees: '0', net: gross }];
      }),
    );
    await system.dayWith(date, ({ status }) => status === 'balanced');
    for (const limit of [1, 2, 3, 100]) {
      const pages = await pagesOf(`/settlements/${date}`, limit);
      expect(pages.flat()).toEqual(wanted);
      expect(pages).toHaveLength(Math.ceil(wanted.length / limit));
    }

    const lines = await fileOf(date);
    expect(lines[0]).toMatchObject(['H', 'duotempo', '1', date, 'final', expect.any(String)]);
    expect(lines.filter(([kind]) => kind === 'D')).toEqual(
      wanted.map(({ merchantId, currency, count, gross, fees, net }) => [
        'D',
        merchantId,
        currency,
        String(count),
        gross,
        fees,
        net,
      ]),
    );
    const trailers = ['JPY', 'USD'].map((currency) => {
      const own = wanted.filter((each) => each.currency === currency);
      const count = own.reduce((sum, each) => sum + each.count, 0);
      const gross = own.reduce((sum, each) => sum + Number(each.gross), 0);
      return ['T', currency, String(own.length), String(count), String(gross), '0', String(gross)];
    });
    expect(lines.filter(([kind]) => kind === 'T')).toEqual(trailers);
    expect(await fileOf(date)).toEqual(lines);

    const path = `/settlements/${date}/merchants/m_1`;
    const [entries = []] = await pagesOf(path, 100);
    expect(new Set(entries.map((entry) => entry['amount']))).toEqual(new Set(['400', '401', '402', '403']));
    expect(entries.every((entry) => entry['merchantId'] === 'm_1')).toBe(true);
    expect((await pagesOf(path, 1)).flat()).toEqual(entries);
    expect(await pagesOf(`/settlements/${date}/merchants/m`, 1)).toMatchObject([[{ merchantId: 'm' }]]);
    expect(await pagesOf(`/settlements/${date}/merchants/nobody`, 1)).toEqual([[]]);
  });

  test('of a preliminary settlement go on where the page before ended', async () => {
    // The open date is settled so far on request, and not sealed.
    const merchants = ['a', 'a-b', 'a0', 'ab', 'b'];
    await Promise.all(
      merchants.flatMap((merchantId) =>
        ['USD', 'EUR'].map(async (currency) =>
          system.stage({ merchantId, currency, occurredAt: new Date().toISOString() }),
        ),
      ),
    );
    const date = system.today;
    expect((await system.call('operator', 'POST', `/business-days/${date}/reconcile`)).status).toBe(202);
    await system.dayWith(date, ({ totals }) => JSON.stringify(totals).includes('"settled":{"count":5'));
    const names = (pages: Record<string, unknown>[][]): string[] =>
      pages
        .flat()
        .map((item) => `${textOf(item, 'merchantId')} ${textOf(item, 'currency')}`)
        .filter((name) => merchants.some((merchantId) => name.startsWith(`${merchantId} `)));
    const all = merchants.flatMap((merchantId) => [`${merchantId} EUR`, `${merchantId} USD`]);
    for (const limit of [1, 3, 100]) expect(names(await pagesOf(`/settlements/${date}`, limit))).toEqual(all);
  });
});

async function fileOf(date: string): Promise<string[][]> {
  const { status, headers, body } = await system.call('gateway', 'GET', `/settlements/${date}`, {
    headers: { accept: 'text/csv' },
  });
  expect(status).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/csv/);
  const lines = String(body).split('\r\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => line.split(','));
}
