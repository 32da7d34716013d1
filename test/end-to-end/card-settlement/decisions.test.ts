import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../eventually.ts';
import { balanced, reconcile } from './day.ts';
import { daysAgo, noonOf, sale, startSystem, textOf, type System } from '../system.ts';

/**
 * Goal: there is one decision on a transaction, and the books agree whatever it is and whenever it comes.
 * Method: the whole app on the local host; a sale is held because it is the double of another. Each test has dates and
 * cards of its own.
 */

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

const nothing = { count: 0, amount: '0' };

interface Pair {
  readonly date: string;
  readonly first: string;
  readonly double: string;
}

/** Two equal sales of a card a minute apart, settled on a day that is then balanced: the later one is held. */
async function heldPair(date: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Pair> {
  const twin = { cardToken: `tok_${date}`, merchantId: `mer_${date}`, amount: 2500, ...fields };
  const first = await system.stage({ ...twin, occurredAt: noonOf(date) });
  const double = await system.stage({ ...twin, occurredAt: noonOf(date).replace(':00Z', ':59Z') });
  await reconcile(system, date);
  await system.dayWith(date, balanced);
  return { date, first, double };
}

async function decide(id: string, decision: 'release' | 'reject', reason = 'the customer called') {
  return system.call('operator', 'POST', `/transactions/${id}/${decision}`, { body: { reason } });
}

async function reverse(
  originalTransactionId: string,
  fields: Readonly<Record<string, unknown>>,
  key?: string,
) {
  return system.call('gateway', 'POST', '/transactions', {
    headers: { 'idempotency-key': key ?? `reversal-of-${originalTransactionId}` },
    body: sale({ type: 'reversal', originalTransactionId, ...fields }),
  });
}

async function transaction(id: string): Promise<Record<string, unknown>> {
  const { status, body } = await system.call('gateway', 'GET', `/transactions/${id}`);
  expect(status).toBe(200);
  return { ...(body as object) };
}

async function statusBecomes(id: string, wanted: string): Promise<void> {
  await eventually(async () => (await transaction(id))['status'] === wanted, `${id} is ${wanted}`, 60);
}

describe('a held transaction', () => {
  test.concurrent('is listed until it is decided, to the operator and to its own client', async () => {
    const { date, first, double } = await heldPair(daysAgo(system, 3));
    const path = `/transactions?status=held&businessDate=${date}`;
    for (const client of ['operator', 'gateway'] as const) {
      const { status, body } = await system.call(client, 'GET', path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        items: [
          {
            transactionId: double,
            status: 'held',
            amount: 2500,
            rules: [{ rule: 'duplicate', score: 70, inputs: {} }],
          },
        ],
      });
      expect(JSON.stringify(body)).toContain(first);
    }
    expect((await decide(double, 'release')).status).toBe(200);
    expect((await system.call('operator', 'GET', path)).body).toEqual({ items: [] });
  });

  test.concurrent('that is released settles on the open date, with the held rate and fees', async () => {
    const date = daysAgo(system, 5);
    const merchantId = `mer_released_${date}`;
    const profile = {
      name: 'P',
      country: 'FR',
      settlementCurrency: 'EUR',
      feeBasisPoints: 250,
      feeFixedMinor: 10,
    };
    await system.call('operator', 'PUT', `/merchants/${merchantId}`, { body: profile });
    const rates = { base: 'USD', source: 'test', rateDate: date, rates: { EUR: '0.9' } };
    await system.call('operator', 'PUT', `/fx-rates/${date}`, { body: rates });
    const { double } = await heldPair(date, { merchantId });
    // 25.00 USD × 0.9 = 22.50 EUR; 2.5 % of it 56.25 → 56, + 10.
    expect(await transaction(double)).toMatchObject({
      status: 'held',
      entries: [{ status: 'held', gross: '2250', fee: '66', net: '2184' }],
    });
    const released = await decide(double, 'release');
    expect(released.body).toMatchObject({
      transactionId: double,
      decision: 'release',
      businessDate: system.today,
      reason: 'the customer called',
    });
    await reconcile(system, system.today);
    await statusBecomes(double, 'settled');
    expect(await transaction(double)).toMatchObject({
      decision: { decision: 'release', businessDate: system.today },
      entries: [
        { status: 'held', businessDate: date },
        {
          status: 'settled',
          businessDate: system.today,
          movesFrom: 'held',
          gross: '2250',
          fee: '66',
          net: '2184',
          conversion: { rateDate: date },
        },
      ],
    });
    // The sealed date keeps its books; the open one moves the sale, and stages nothing by it.
    const { body } = await system.call('gateway', 'GET', `/business-days/${date}`);
    expect(body).toMatchObject({
      totals: {
        USD: {
          staged: { count: 2, amount: '5000' },
          settled: { count: 1, amount: '2500' },
          held: { count: 1, amount: '2500' },
        },
      },
    });
  });

  test.concurrent('that is rejected is settled nowhere', async () => {
    const { double } = await heldPair(daysAgo(system, 6));
    expect((await decide(double, 'reject')).body).toMatchObject({ decision: 'reject' });
    await reconcile(system, system.today);
    await statusBecomes(double, 'rejected');
    const { merchantId } = await transaction(double);
    const { body } = await system.call(
      'gateway',
      'GET',
      `/settlements/${system.today}/merchants/${String(merchantId)}`,
    );
    expect(body).toMatchObject({ items: [{ status: 'rejected', movesFrom: 'held', amount: '2500' }] });
    const settlement = await system.call('gateway', 'GET', `/settlements/${system.today}?limit=100`);
    expect(JSON.stringify(settlement.body)).not.toContain(String(merchantId));
  });

  test.concurrent('takes one decision of two operators at once, and tells the other so', async () => {
    const { double } = await heldPair(daysAgo(system, 8));
    const answers = await Promise.all([decide(double, 'release'), decide(double, 'reject')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const lost = answers.find(({ status }) => status === 409);
    expect(textOf(lost?.body, 'type')).toMatch(/already-decided$/);
    const facts = (
      await system.scan(system.outputs.DuotempoCardSettlement['StagedTransactionsTable'] ?? '')
    ).filter(({ transactionId }) => transactionId === `${double}#decision`);
    expect(facts).toHaveLength(1);
    // The same again is no conflict, and gives what stands.
    const winner = answers[0].status === 200 ? ('release' as const) : ('reject' as const);
    const again = await decide(double, winner, 'another reason');
    expect(again.status).toBe(200);
    expect(textOf(again.body, 'reason')).toBe('the customer called');
  });

  test.concurrent('is the only kind that can be released', async () => {
    const { first } = await heldPair(daysAgo(system, 9));
    const settled = await decide(first, 'release');
    expect(settled.status).toBe(409);
    expect(textOf(settled.body, 'type')).toMatch(/not-held$/);
    const staged = await system.stage();
    expect((await decide(staged, 'reject')).status).toBe(409);
    expect((await decide('0'.repeat(32), 'reject')).status).toBe(404);
    expect(
      (await system.call('gateway', 'POST', `/transactions/${first}/release`, { body: { reason: 'x' } }))
        .status,
    ).toBe(403);
  });
});

describe('a reversal', () => {
  test.concurrent('before settlement and after it both come to nothing, in the same books', async () => {
    const books: unknown[] = [];
    for (const [daysBack, settledFirst] of [
      [11, false],
      [12, true],
    ] as const) {
      const date = daysAgo(system, daysBack);
      const card = { cardToken: `tok_${date}`, merchantId: 'mer_reversed', amount: 1200 };
      const id = await system.stage({ ...card, occurredAt: noonOf(date) });
      if (settledFirst) {
        // Settled early, as on the open day: the day is not sealed by what settles this one sale.
        const QueueUrl = system.outputs.DuotempoCardSettlement['SettlementQueueUrl'];
        await system.sqs.sendMessage({ QueueUrl, MessageBody: JSON.stringify({ factId: id }) });
        await statusBecomes(id, 'settled');
      }
      const reversed = await reverse(id, { ...card, occurredAt: noonOf(date) });
      expect(reversed.status).toBe(201);
      expect(reversed.body).toEqual({ transactionId: id, businessDate: date, status: 'staged' });
      await reconcile(system, date);
      const day = await system.dayWith(date, balanced);
      books.push(day['totals']);
      expect(await transaction(id)).toMatchObject({ status: 'reversed', decision: { decision: 'reversal' } });
      const settlement = await system.call('gateway', 'GET', `/settlements/${date}`);
      expect(settlement.body).toMatchObject({
        items: [{ merchantId: 'mer_reversed', count: 2, gross: '0', fees: '0', net: '0' }],
      });
    }
    const both = { count: 2, amount: '0' };
    expect(books[0]).toEqual({
      USD: { staged: both, settled: nothing, held: nothing, reversed: both, rejected: nothing },
    });
    expect(books[1]).toEqual(books[0]);
  });

  test.concurrent('sent again is the same; after the seal a new one is refused', async () => {
    const date = daysAgo(system, 13);
    const card = { cardToken: `tok_${date}`, occurredAt: noonOf(date) };
    const [one, other] = [await system.stage(card), await system.stage({ ...card, amount: 600 })];
    expect((await reverse(one, card)).status).toBe(201);
    const again = await reverse(one, card);
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
    expect((await reverse(one, card, 'another-key')).status).toBe(200);
    const reused = await reverse(one, { ...card, terminalId: 'till-2' });
    expect(textOf(reused.body, 'type')).toMatch(/idempotency-key-reused$/);
    await reconcile(system, date);
    await system.dayWith(date, balanced);
    const late = await reverse(other, { ...card, amount: 600 });
    expect([late.status, textOf(late.body, 'type')]).toEqual([409, 'urn:duotempo:problem:day-closed']);
    expect((await reverse(one, card)).status).toBe(200);
  });

  test.concurrent('must repeat a sale of its own client', async () => {
    const card = { cardToken: 'tok_mismatch', merchantId: 'mer_mismatch' };
    const id = await system.stage(card);
    for (const [fields, pointer] of [
      [{ amount: 498 }, '/amount'],
      [{ currency: 'EUR' }, '/currency'],
      [{ cardToken: 'tok_other' }, '/cardToken'],
      [{ merchantId: 'mer_other' }, '/merchantId'],
    ] as const) {
      const { status, body } = await reverse(id, { ...card, ...fields }, `key-${pointer.slice(1)}`);
      expect([status, textOf(body, 'type')]).toEqual([422, 'urn:duotempo:problem:reversal-mismatch']);
      expect(body).toMatchObject({ errors: [{ pointer }] });
    }
    const unknown = await reverse('0'.repeat(32), card);
    expect([unknown.status, textOf(unknown.body, 'type')]).toEqual([
      422,
      'urn:duotempo:problem:original-not-found',
    ]);
    const refund = await system.stage({ ...card, type: 'refund' });
    expect((await reverse(refund, card)).status).toBe(422);
  });
});

describe('a terminal', () => {
  test.concurrent('whose own totals differ from what was staged opens a break, until it corrects them', async () => {
    const date = daysAgo(system, 17);
    const at = { terminalId: 'till-9', occurredAt: noonOf(date) };
    await system.stage({ ...at, amount: 1000 });
    await system.stage({ ...at, amount: 250 });
    await system.stage({ ...at, amount: 100, type: 'refund' });
    await system.stage({ ...at, terminalId: 'till-10', amount: 777 });
    const report = async (count: number, amount: number) =>
      system.call('gateway', 'PUT', `/terminals/till-9/totals/${date}`, {
        body: {
          totals: [
            { type: 'sale', currency: 'USD', count, amount },
            { type: 'refund', currency: 'USD', count: 1, amount: 100 },
            { type: 'sale', currency: 'EUR', count: 0, amount: 0 },
          ],
        },
      });
    expect((await report(3, 1251)).status).toBe(204);
    await reconcile(system, date);
    // Whose books are wrong is another process: the day is balanced all the same.
    expect(await system.dayWith(date, balanced)).toMatchObject({
      breaks: [
        {
          kind: 'terminal-totals',
          subject: 'till-9',
          expected: [{ type: 'sale', currency: 'USD', count: 3, amount: '1251' }],
          actual: [{ type: 'sale', currency: 'USD', count: 2, amount: '1250' }],
        },
      ],
    });
    expect((await report(2, 1250)).status).toBe(204);
    await reconcile(system, date);
    await system.dayWith(date, ({ breaks }) => Array.isArray(breaks) && breaks.length === 0);
  });

  test.concurrent('that reports sales of which nothing arrived opens a break', async () => {
    const date = daysAgo(system, 19);
    const totals = [{ type: 'sale', currency: 'USD', count: 2, amount: 994 }];
    const { status } = await system.call('gateway', 'PUT', `/terminals/till-lost/totals/${date}`, {
      body: { totals },
    });
    expect(status).toBe(204);
    await reconcile(system, date);
    expect(await system.dayWith(date, balanced)).toMatchObject({
      breaks: [{ kind: 'terminal-totals', subject: 'till-lost', actual: [{ count: 0, amount: '0' }] }],
    });
  });
});

describe('a straggler', () => {
  test.concurrent('forced into a balanced day reopens it with the next revision', async () => {
    const date = daysAgo(system, 21);
    const id = await system.stage({ occurredAt: noonOf(date) });
    await reconcile(system, date);
    await system.dayWith(date, balanced);
    const TableName = system.outputs.DuotempoCardSettlement['StagedTransactionsTable'];
    const { Item = {} } = await system.dynamodb.getItem({ TableName, Key: { transactionId: { S: id } } });
    const straggler = 'ffffffffffffffffffffffffffffffff';
    // Another shard would do as well; the key of the index must name the straggler.
    await system.dynamodb.putItem({
      TableName,
      Item: {
        ...Item,
        transactionId: { S: straggler },
        businessDateShard: Item['businessDateShard'] ?? { S: '' },
        merchantTransaction: { S: `${Item['merchantId']?.S ?? ''}#${straggler}` },
        cardToken: { S: 'tok_straggler' },
      },
    });
    await reconcile(system, date);
    const day = await system.dayWith(
      date,
      ({ status, revision }) => status === 'balanced' && revision === 2,
      60,
    );
    expect(day).toMatchObject({
      breaks: [{ kind: 'straggler', count: 1, ids: [straggler] }],
      totals: { USD: { staged: { count: 2 }, settled: { count: 2 } } },
    });
    const settlement = await system.call('gateway', 'GET', `/settlements/${date}`);
    expect(settlement.body).toMatchObject({ final: true, items: [{ count: 2, gross: '994' }] });
  });
});
