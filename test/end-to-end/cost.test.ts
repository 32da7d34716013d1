import { expect, test } from '@jest/globals';
import { readPrices } from '../../tools/cost/prices.ts';
import { command } from './command.ts';

/**
 * Goal: `npm run cost` prices what was really counted, by the price file, and its options do what they say.
 * Method: runs it, and works out every dollar again from its units. The stage `test` is quicker, but its functions may
 * take no longer than a second: on a busy machine batches are settled twice there.
 */

interface Cost {
  readonly steps: readonly {
    readonly step: string;
    readonly unitsEach: Readonly<Record<string, number>>;
    readonly perMillion: { readonly services: Readonly<Record<string, number>>; readonly total: number };
  }[];
  readonly unitsEach: Readonly<Record<string, number>>;
  readonly perMillion: { readonly services: Readonly<Record<string, number>>; readonly total: number };
}

interface Result {
  readonly sales: Cost & { readonly played: number; readonly stagedItemBytes: number };
  readonly messages: Cost;
  readonly month?: Record<string, unknown>;
}

async function cost(...options: readonly string[]): Promise<Result> {
  const { exitCode, stdout, stderr } = await command(['cost', '--json', ...options]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('Playing') });
  return JSON.parse(stdout) as Result;
}

/** Dollars of the units, by hand: of a million what one takes. */
async function dollarsOf(unitsEach: Readonly<Record<string, number>>): Promise<number> {
  const { dollarsPerMillion } = await readPrices();
  return Object.entries(dollarsPerMillion).reduce(
    (sum, [unit, dollars]) => sum + (unitsEach[unit] ?? 0) * dollars,
    0,
  );
}

test.concurrent('a million sales cost at most $4.5, and dollars are units times prices', async () => {
  const { sales, messages, month } = await cost(
    ...['--sales', '400', '--messages', '30', '--per-month', '1000000,2000000', '--connections', '7'],
  );
  for (const part of [sales, messages]) {
    for (const { unitsEach, perMillion } of part.steps) {
      expect(perMillion.total).toBeCloseTo(await dollarsOf(unitsEach), 6);
    }
    expect(part.perMillion.total).toBeCloseTo(await dollarsOf(part.unitsEach), 6);
  }
  expect(sales.steps.map(({ step }) => step)).toEqual(['intake', 'reconcile', 'settlement', 'later walks']);
  expect(messages.steps.map(({ step }) => step)).toEqual(['post', 'pipe', 'push', 'acknowledge']);
  // How long functions take is this machine's affair, and how many others use it; all else is the app's.
  const ofTime = sales.perMillion.services['Lambda time'] ?? 0;
  expect(ofTime).toBeGreaterThan(0);
  expect(sales.perMillion.total - ofTime).toBeLessThanOrEqual(4.4);
  expect(month).toMatchObject({ sales: 1_000_000, messages: 2_000_000, connections: 7 });
  expect(month?.['dollars']).toMatchObject({
    sales: { total: expect.closeTo(sales.perMillion.total, 6) },
    messages: { total: expect.closeTo(2 * messages.perMillion.total, 6) },
    connections: { total: expect.closeTo((7 * 43_200 * 0.25) / 1e6, 6) },
    polling: { total: expect.closeTo((4 * 2 * 129_600 * 0.4) / 1e6, 6) },
  });
}, 150_000);

test.concurrent('options change what is played: batches of one, two devices, longer texts and larger items', async () => {
  const { sales, messages } = await cost(
    ...['--sales', '20', '--messages', '10', '--batch-size', '1', '--devices', '2'],
    ...['--text-bytes', '3000', '--item-bytes', '2000', '--stage', 'test'],
  );
  const settlement = sales.steps.find(({ step }) => step === 'settlement')?.unitsEach ?? {};
  // Each message is received and deleted by itself, and invokes the function.
  expect(settlement['sqs-requests']).toBeGreaterThanOrEqual(2);
  expect(settlement['lambda-requests']).toBeGreaterThanOrEqual(1);
  // The entry of 2 KB.
  expect(settlement['dynamodb-write-units']).toBeGreaterThanOrEqual(2);
  // Out to two devices, and in from both.
  expect(messages.unitsEach['websocket-messages']).toBeGreaterThanOrEqual(4);
  // Over 3 KB with its other attributes: message, notification, and that it is taken out; and a tombstone.
  expect(messages.unitsEach['dynamodb-write-units']).toBeGreaterThanOrEqual(4 + 1 + 1 + 4 + 4 + 1);
}, 150_000);
