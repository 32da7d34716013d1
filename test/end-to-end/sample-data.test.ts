import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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

  test('is staged, settled and balanced, and a second replay doubles nothing', async () => {
    const replay = async () => {
      const { stdout, stderr, exitCode } = await command([
        ...['replay', file, '--merchants', join(folder, 'merchants.csv')],
        ...['--shift-to-today', '--settle', '--json', '--outputs', system.outputsFile],
      ]);
      expect([stderr, exitCode]).toEqual(['', 0]);
      return JSON.parse(stdout) as Report;
    };
    const first = await replay();
    expect(first).toMatchObject({ staged: 5039, replayed: 0, failed: 0 });
    expect(first.dates).toHaveLength(4);
    for (const { status, totals } of first.dates) {
      expect(status).toBe('balanced');
      expect(totals['USD']?.['settled']).toEqual(totals['USD']?.['staged']);
    }
    const staged = first.dates.map(({ totals }) => totals['USD']?.['staged'] ?? { count: 0, amount: '0' });
    expect(staged.reduce((sum, { count }) => sum + count, 0)).toBe(5039);
    expect(staged.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(33_594_557n);
    expect([...new Set(first.dates.flatMap(({ nets }) => Object.keys(nets)))].toSorted()).toEqual([
      'EUR',
      'GBP',
      'JPY',
      'KWD',
      'MXN',
      'USD',
    ]);

    const again = await replay();
    expect(again).toMatchObject({ staged: 0, replayed: 5039, failed: 0 });
    expect(again.dates.map(({ status, totals, nets }) => [status, totals, nets])).toEqual(
      first.dates.map(({ status, totals, nets }) => [status, totals, nets]),
    );
  }, 300_000);
});

interface Report {
  readonly dates: readonly {
    readonly status: string;
    readonly totals: Readonly<Record<string, Readonly<Record<string, { count: number; amount: string }>>>>;
    readonly nets: Readonly<Record<string, string>>;
  }[];
}
