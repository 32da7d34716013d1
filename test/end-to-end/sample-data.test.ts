import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { settleDate } from '../../cli/replay/settle.ts';
import { withApi } from '../../cli/shared/api.ts';
import type { Outputs } from '../../cli/shared/outputs.ts';
import { command, start, type Started } from './command.ts';

/**
 * Goal: four days of real-looking transactions with known totals are staged, settled and balanced to the cent.
 * Method: `npm run replay` on the data that `DUOTEMPO_SAMPLE_DATA` names; without it these tests are skipped, and say so.
 */

const folder = process.env['DUOTEMPO_SAMPLE_DATA'] ?? '';
const file = join(folder, 'card-transactions.csv');
const describeWithData = folder !== '' && existsSync(file) ? describe : describe.skip;

describeWithData('the sample data', () => {
  let system: Started;

  beforeAll(async () => {
    system = await start();
  });

  afterAll(async () => {
    await system.stop();
  });

  test('is staged, assessed, settled and balanced, and a second replay doubles nothing', async () => {
    const replay = async (...options: readonly string[]) => {
      const { stdout, stderr, exitCode } = await command([
        ...['replay', file, '--merchants', join(folder, 'merchants.csv')],
        ...['--shift-to-today', ...options, '--json', '--outputs', system.outputsFile],
      ]);
      expect([stderr, exitCode]).toEqual(['', 0]);
      return JSON.parse(stdout) as Report;
    };
    const first = await replay('--settle');
    expect(first).toMatchObject({ staged: 5039, replayed: 0, failed: 0 });
    expect(first.dates).toHaveLength(4);
    expect(first.dates.map(({ status }) => status)).toEqual(['balanced', 'balanced', 'balanced', 'balanced']);
    const sum = (side: string) => {
      const all = first.dates.map(({ totals }) => totals['USD']?.[side] ?? { count: 0, amount: '0' });
      return {
        count: all.reduce((total, { count }) => total + count, 0),
        amount: all.reduce((total, { amount }) => total + BigInt(amount), 0n),
      };
    };
    expect(sum('staged')).toEqual({ count: 5039, amount: 33_594_557n });
    // What the fraud rules hold, and why, is in docs/fraud-rules.md; a shift by whole days keeps every hour and order.
    expect(sum('held')).toEqual({ count: 44, amount: 2_119_160n });
    expect(sum('settled')).toEqual({ count: 5039 - 44, amount: 33_594_557n - 2_119_160n });
    expect(first.detection).toMatchObject({
      transactions: 5039,
      fraud: 22,
      all: { flagged: 44, truePositives: 14, precision: 0.3182, recall: 0.6364 },
      rules: {
        'night-large': { flagged: 40, truePositives: 14, precision: 0.35 },
        'amount-spike': { flagged: 57, truePositives: 0 },
        velocity: { flagged: 121, truePositives: 1 },
        'card-testing': { flagged: 0 },
        'impossible-travel': { flagged: 0 },
        burst: { flagged: 0 },
        duplicate: { flagged: 0 },
        'high-risk-category': { flagged: 0 },
      },
    });
    // Its terminals reported what they sold: nobody's books differ.
    expect(first.dates.flatMap(({ breaks }) => breaks)).toEqual([]);
    expect([...new Set(first.dates.flatMap(({ nets }) => Object.keys(nets)))].toSorted()).toEqual([
      'EUR',
      'GBP',
      'JPY',
      'KWD',
      'MXN',
      'USD',
    ]);

    expect(await replay()).toMatchObject({ staged: 0, replayed: 5039, failed: 0 });
    const outputs = JSON.parse(readFileSync(system.outputsFile, 'utf8')) as Outputs;
    const again = await withApi(outputs, first.dates.length, async ({ as }) =>
      Promise.all(
        first.dates.map(async ({ businessDate: date }) =>
          settleDate({ call: as.operator, date, accepted: 1 }),
        ),
      ),
    );
    expect(again.map(({ status, day, nets }) => [status, day?.totals, netsOf(nets)])).toEqual(
      first.dates.map(({ status, totals, nets }) => [status, totals, nets]),
    );
  }, 900_000);
});

function netsOf(nets: ReadonlyMap<string, bigint>) {
  return Object.fromEntries([...nets].map(([currency, net]) => [currency, String(net)]));
}

interface Report {
  readonly dates: readonly {
    readonly businessDate: string;
    readonly status: string;
    readonly totals: Readonly<Record<string, Readonly<Record<string, { count: number; amount: string }>>>>;
    readonly nets: Readonly<Record<string, string>>;
    readonly breaks: readonly unknown[];
  }[];
  readonly detection: unknown;
}
