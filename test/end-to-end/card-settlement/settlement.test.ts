import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { balanced, reconcile, stageMany, totalsOf } from './day.ts';
import { daysAgo, noonOf, sale, startSystem, textOf, type System } from '../system.ts';

/**
 * Goal: what is staged is settled to the minor unit, and a day goes from open to balanced.
 * Method: the whole app on the local host in the `test` stage, over real HTTP; each test has dates of its own.
 */

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

describe('a day in order', () => {
  test.concurrent('is sealed, settled in tens, and balanced, and its settlement is final', async () => {
    const date = daysAgo(system, 3);
    await stageMany(system, date, 45);
    await reconcile(system, date);
    const day = await system.dayWith(date, balanced);
    expect(day).toMatchObject({
      businessDate: date,
      status: 'balanced',
      revision: 1,
      breaks: [],
      totals: totalsOf(45),
    });

    const { body } = await system.call('gateway', 'GET', `/settlements/${date}`);
    expect(body).toEqual({
      businessDate: date,
      final: true,
      items: [0, 1, 2].map((merchant) => {
        const gross = String(
          Array.from({ length: 45 }, (_, number) => number)
            .filter((number) => number % 3 === merchant)
            .reduce((sum, number) => sum + 100 * (number + 1), 0),
        );
        return {
          merchantId: `mer_${date}_${merchant}`,
          currency: 'USD',
          count: 15,
          gross,
          fees: '0',
          net: gross,
        };
      }),
    });
    const file = await system.call('gateway', 'GET', `/settlements/${date}`, {
      headers: { accept: 'text/csv' },
    });
    expect(file.headers['content-type']).toContain('text/csv');
    expect(String(file.body).split('\r\n').at(-2)).toBe(`T,USD,3,45,103500,0,103500`);
    expect(String(file.body)).toMatch(new RegExp(`^H,duotempo,1,${date},final,20`));
  });

  test.concurrent('takes no further transaction: a late one rolls to the earliest unsealed date', async () => {
    const date = daysAgo(system, 16);
    await system.stage({ occurredAt: noonOf(date) });
    await reconcile(system, date);
    await system.dayWith(date, balanced);
    // Another request seals the day after it, which has no transactions.
    await reconcile(system, daysAgo(system, 15));
    await system.dayWith(daysAgo(system, 15), balanced);
    // Intake may take a day that it read open to be open for 5 s.
    const deadline = Date.now() + 10_000;
    let staged = date;
    while (staged === date || staged === daysAgo(system, 15)) {
      expect(Date.now()).toBeLessThan(deadline);
      const { body } = await system.call('gateway', 'POST', '/transactions', {
        headers: { 'idempotency-key': `late-${Date.now()}` },
        body: sale({ occurredAt: noonOf(date) }),
      });
      staged = textOf(body, 'businessDate');
    }
    expect(staged).toBe(daysAgo(system, 14));
  });

  test.concurrent('converts by the rates of its date and takes fees, to the minor unit', async () => {
    const date = daysAgo(system, 7);
    const profile = {
      name: 'Tokyo Sweets',
      country: 'JP',
      settlementCurrency: 'JPY',
      feeBasisPoints: 250,
      feeFixedMinor: 10,
    };
    const rates = { base: 'USD', source: 'test', rateDate: date, rates: { JPY: '150.25', KWD: '0.3071' } };
    expect((await system.call('operator', 'PUT', '/merchants/mer_tokyo', { body: profile })).status).toBe(
      204,
    );
    expect((await system.call('operator', 'PUT', `/fx-rates/${date}`, { body: rates })).status).toBe(204);
    const inDollars = await system.stage({ occurredAt: noonOf(date), merchantId: 'mer_tokyo', amount: 1234 });
    await system.stage({ occurredAt: noonOf(date), merchantId: 'mer_tokyo', amount: 5000, currency: 'KWD' });
    await system.stage({ occurredAt: noonOf(date), merchantId: 'mer_tokyo', type: 'refund', amount: 1000 });
    await reconcile(system, date);
    await system.dayWith(date, balanced);
    // 12.34 USD × 150.25 = 1854.085 → 1854 JPY; 5.000 KWD / 0.3071 × 150.25 = 2446.27… → 2446; −10.00 USD → −1502.5 → −1502.
    // Fees: 1854 × 2.5 % = 46.35 → 46, + 10; 2446 × 2.5 % = 61.15 → 61, + 10; none on a refund.
    const { body } = await system.call('gateway', 'GET', `/settlements/${date}`);
    expect(body).toMatchObject({
      items: [
        { merchantId: 'mer_tokyo', currency: 'JPY', count: 3, gross: '2798', fees: '127', net: '2671' },
      ],
    });
    const transaction = await system.call('gateway', 'GET', `/transactions/${inDollars}`);
    expect(transaction.body).toMatchObject({
      status: 'settled',
      entries: [
        {
          gross: '1854',
          fee: '56',
          net: '1798',
          conversion: { base: 'USD', source: 'test', rateDate: date, fromRate: '1', toRate: '150.25' },
        },
      ],
    });
    const put = (body: object) => system.call('operator', 'PUT', `/fx-rates/${date}`, { body });
    expect((await put(rates)).status).toBe(204);
    const other = await put({ ...rates, rates: { ...rates.rates, JPY: '150.26' } });
    expect(other.status).toBe(409);
    expect(textOf(other.body, 'type')).toMatch(/rates-frozen$/);
  });

  test.concurrent('without rates is blocked, and goes on by itself once they are there', async () => {
    const date = daysAgo(system, 20);
    await system.call('operator', 'PUT', '/merchants/mer_paris', {
      body: { name: 'Paris', country: 'FR', settlementCurrency: 'EUR', feeBasisPoints: 0, feeFixedMinor: 0 },
    });
    await system.stage({ occurredAt: noonOf(date), merchantId: 'mer_paris' });
    await system.stage({ occurredAt: noonOf(date) });
    await reconcile(system, date);
    const day = await system.dayWith(date, ({ status }) => status === 'blocked');
    expect(day['ratesMissing']).toEqual(['USD', 'EUR']);
    const body = { base: 'USD', source: 'test', rateDate: date, rates: { EUR: '0.9' } };
    expect((await system.call('operator', 'PUT', `/fx-rates/${date}`, { body })).status).toBe(204);
    await system.dayWith(date, balanced);
  });

  test.concurrent('that is open is settled so far on request, and stays open', async () => {
    await system.stage();
    await reconcile(system, system.today);
    const day = await system.dayWith(system.today, ({ totals }) =>
      JSON.stringify(totals).includes('"settled":{"count":1'),
    );
    expect(day['status']).toBe('open');
  });
});
