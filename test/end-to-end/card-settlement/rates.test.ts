import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { command, type Ended } from '../command.ts';
import { daysAgo, noonOf, startSystem, type System } from '../system.ts';

/**
 * Goal: rates come to the dates that need them, and to no others.
 * Method: a host without rates, as a deployment on AWS is, and the command.
 */

let system: System;
const folder = mkdtempSync(join(tmpdir(), 'duotempo-rates-'));
const outputs = join(folder, 'outputs.json');

beforeAll(async () => {
  system = await startSystem();
  writeFileSync(
    outputs,
    JSON.stringify({ ...system.host.outputs, DuotempoLocal: { AwsEndpoint: system.host.awsEndpoint } }),
  );
});

afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true });
});

const rates = async (...args: readonly string[]): Promise<Ended> =>
  command(['rates', '--outputs', outputs, ...args]);
const ratesOf = async () =>
  new Map(
    (await system.scan(system.environment('BUSINESS_DAYS_TABLE')))
      .filter(({ scopeKey }) => scopeKey === 'fx-rates')
      .map(({ itemKey, source }) => [itemKey, source]),
  );
const own = (currencies: Readonly<Record<string, string>>) => {
  const file = join(folder, 'own.json');
  writeFileSync(
    file,
    JSON.stringify({ base: 'USD', source: 'our bank', rateDate: system.today, rates: currencies }),
  );
  return file;
};

test('a day that is blocked gets real rates and balances; rates that somebody chose are left alone', async () => {
  const [blocked, chosen] = [daysAgo(system, 3), daysAgo(system, 20)];
  await system.call('operator', 'PUT', '/merchants/mer_euro', {
    body: {
      name: 'Euro',
      country: 'DE',
      settlementCurrency: 'EUR',
      feeBasisPoints: 100,
      feeFixedMinor: 0,
    },
  });
  await system.stage({ merchantId: 'mer_euro', occurredAt: noonOf(blocked) });
  await system.call('operator', 'POST', `/business-days/${blocked}/reconcile`);
  await system.dayWith(blocked, ({ status }) => status === 'blocked');
  expect((await rates('--file', own({ EUR: '0.9' }), '--date', chosen)).exitCode).toBe(0);

  const { stdout, stderr, exitCode } = await rates();
  expect([stderr, exitCode]).toEqual(['', 0]);
  expect(stdout).toMatch(
    /^35 dates have the rates of \d{4}-\d{2}-\d{2} now, by @fawazahmed0\/currency-api\.\n$/,
  );
  await system.dayWith(blocked, ({ status }) => status === 'balanced');
  const standing = await ratesOf();
  expect([standing.size, standing.get(chosen), standing.get(blocked)]).toEqual([
    36,
    'our bank',
    '@fawazahmed0/currency-api',
  ]);
  expect((await rates()).stdout).toBe('Every date that may need rates has some.\n');

  // A date that is named gets what it is to get, unless it was converted with other rates already.
  expect((await rates('--file', own({ EUR: '0.8' }), '--date', system.today)).exitCode).toBe(0);
  expect((await ratesOf()).get(system.today)).toBe('our bank');
  const frozen = await rates('--file', own({ EUR: '0.7' }), '--date', blocked);
  expect([frozen.exitCode, frozen.stderr]).toEqual([1, expect.stringMatching(`^${blocked}: 409 `)]);
});

test('a file that holds no rates is refused, and says what it lacks', async () => {
  const { stderr, exitCode } = await rates('--file', own({ EUR: '1e3' }));
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/rates\.EUR must be plain decimal text/)]);
});
