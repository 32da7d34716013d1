import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import { checkMemory } from '../../../tools/soak/run.ts';
import { createFindings, findingText } from '../../../tools/soak/record.ts';
import { createMeter } from '../../../tools/soak/record.ts';
import { atRate } from '../../../tools/soak/pace.ts';
import { jsonText } from '../../../tools/harness/tool.ts';
import { seededRandom } from '../../../tools/harness/random.ts';
import { minuteText, reportText, type SoakReport } from '../../../tools/soak/report.ts';
import { createSales, type KnownSale } from '../../../tools/soak/sales.ts';
import { businessDateOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { stageConfig } from '../../../lib/config.ts';

const megabyte = 1024 * 1024;

describe('findings', () => {
  it('of the same kind are one, that counts them and names the first ten', () => {
    const { add, all } = createFindings();
    for (let number = 1; number <= 12; number++) add('lost', '2026-11-20 USD', `t${number}`);
    add('lost', '2026-11-21 USD', 't13');
    add('it does not add up', '2026-11-21');
    expect(all().map(findingText)).toEqual([
      '2026-11-20 USD: 12 × lost: t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, …',
      '2026-11-21 USD: lost: t13',
      '2026-11-21: it does not add up',
    ]);
  });
});

describe('the load', () => {
  const { calendar } = stageConfig('soak');
  const now = new Date('2026-11-22T15:00:00Z');
  const pastDates = ['2026-11-21', '2026-11-20'];
  const sales = (seed: number) =>
    createSales({ random: seededRandom(seed, 'sales'), pastDates, prefix: 'p' });

  it('has sales, refunds, reversals and duplicates, on the open date and on past ones', () => {
    const { next } = sales(1);
    const recent: KnownSale[] = [];
    const reports = Array.from({ length: 600 }, () => {
      const report = next(now, recent);
      const { key, transaction } = report;
      if (transaction.type === 'sale') recent.push({ transactionId: `id-${key}`, transaction });
      return report;
    });
    expect(new Set(reports.map(({ key }) => key)).size).toBe(600);
    for (const type of ['sale', 'refund', 'reversal'])
      expect(reports.filter(({ transaction }) => transaction.type === type).length).toBeGreaterThan(20);
    const purchases = reports
      .filter(({ transaction }) => transaction.type === 'sale')
      .map(({ transaction: { cardToken, merchantId, amount } }) => [cardToken, merchantId, amount].join());
    expect(purchases.length - new Set(purchases).size).toBeGreaterThan(20);
    const dates = reports.map(({ transaction }) =>
      businessDateOf(new Date(transaction.occurredAt), calendar),
    );
    expect(new Set(dates)).toEqual(new Set(['2026-11-22', ...pastDates]));
    expect(reports.every(({ transaction }) => Date.parse(transaction.occurredAt) <= now.getTime())).toBe(
      true,
    );
  });

  it('is the same for the same seed', () => {
    const first = (seed: number) => {
      const { next } = sales(seed);
      return Array.from({ length: 20 }, () => next(now, []));
    };
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
  });

  it('reverses a sale by repeating it', () => {
    const { next } = sales(3);
    const { transaction } = next(now, []);
    const known = { transactionId: 'original', transaction: { ...transaction, type: 'sale' as const } };
    const reversal = Array.from({ length: 100 }, () => next(now, [known]).transaction).find(
      ({ type }) => type === 'reversal',
    );
    expect(reversal).toEqual({ ...transaction, type: 'reversal', originalTransactionId: 'original' });
  });

  it('slows down rather than let works pile up, and ends with the last of them', async () => {
    const ending = new AbortController();
    let [underWay, most, begun] = [0, 0, 0];
    const load = atRate({ perSecond: 1000, atMost: 3, signal: ending.signal }, async () => {
      begun += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      await wait(10);
      underWay -= 1;
      if (begun === 9) ending.abort();
    });
    await load;
    expect({ most, underWay }).toEqual({ most: 3, underWay: 0 });
  });
});

describe('memory', () => {
  it('is told as means of minutes and of thirds', () => {
    const meter = createMeter();
    for (const megabytes of [100, 110, 120, 130, 140, 150]) meter.memory(megabytes * megabyte);
    meter.intake(7.4);
    expect(meter.endMinute()).toEqual({
      number: 1,
      intake: { count: 1, p50: 7, p99: 7, maximum: 7 },
      chat: undefined,
      memoryMegabytes: 125,
    });
    expect(meter.endMinute()).toBeUndefined();
    expect(meter.thirds()).toEqual([105, 125, 145]);
  });

  it('may grow by at most 15 % from the middle third to the last', () => {
    const found = (thirds: readonly [number, number, number]) => {
      const findings = createFindings();
      checkMemory(thirds, findings);
      return findings.all().map(findingText);
    };
    expect(found([100, 200, 229])).toEqual([]);
    expect(found([100, 200, 231])).toEqual([
      'this process: memory grew from 200 MB in the middle third to 231 MB in the last',
    ]);
  });
});

describe('the report', () => {
  const nothing = { count: 0, amount: 0n };
  const report: SoakReport = {
    seed: 4,
    seconds: 61,
    drainSeconds: 9.5,
    settlement: [
      {
        businessDate: '2026-11-20',
        currency: 'USD',
        status: 'balanced',
        accepted: { count: 1200, amount: 123_456n },
        settled: { count: 1199, amount: 123_400n },
        held: { count: 1, amount: 56n },
        reversed: nothing,
        rejected: nothing,
      },
    ],
    recipients: [{ userId: 'ada', accepted: 9, acknowledged: 8, waiting: 1 }],
    pushedAgain: 2,
    faults: { 'workers killed': 12, 'calls throttled': 40 },
    consequences: { 'answered 500': 3 },
    deadLetters: { 'the-queue': 5 },
    minutes: [
      {
        number: 1,
        intake: { count: 1, p50: 20, p99: 90, maximum: 95 },
        chat: undefined,
        memoryMegabytes: 300,
      },
    ],
    memoryThirds: [250, 300, 303],
    findings: [],
  };
  const colors = picocolors.createColors(false);

  it('shows the books, the faults and what came of them, and says that all is well', () => {
    const text = reportText(report, colors);
    expect(text).toMatch(/2026-11-20 USD +1,200 +1,199 +1 +0 +0/);
    expect(text).toMatch(/balanced +1,234\.56 +1,234\.00 +0\.56 +0\.00 +0\.00/);
    expect(text).toMatch(/ada +9 +8 +1/);
    expect(text).toMatch(/calls throttled +40\nworkers killed +12/);
    expect(text).toMatch(/dead letters redriven from the-queue +5/);
    expect(text).toContain(
      'Memory by thirds: 250, 300, 303 MB; the last is 1.01 × the middle one (at most 1.15)',
    );
    expect(text).toContain('Nothing is lost, nothing doubled, and everything adds up.');
  });

  it('names every finding', () => {
    const findings = [{ what: 'accepted, but not staged', where: '2026-11-20 USD', count: 1, ids: ['t1'] }];
    const text = reportText({ ...report, findings }, colors);
    expect(text).toContain('1 finding:\n  2026-11-20 USD: accepted, but not staged: t1');
    expect(text).not.toContain('Nothing is lost');
  });

  it('is JSON with amounts as text', () => {
    expect(JSON.parse(jsonText(report))).toMatchObject({
      seed: 4,
      settlement: [{ accepted: { count: 1200, amount: '123456' } }],
      findings: [],
    });
  });

  it('has a line for each minute', () => {
    expect(report.minutes.map(minuteText)).toEqual(['minute 1: intake p50 20 p99 90 ms, chat –, 300 MB']);
  });
});
