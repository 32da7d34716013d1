import { afterAll, expect, it } from '@jest/globals';
import { putTerminalTotals } from '../../../lambda/card-settlement/terminals/handler.ts';
import {
  bucketOf,
  MOST_IN_BUCKET,
  terminalTotalsTable,
} from '../../../lambda/card-settlement/store/terminal-totals.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { createTables } from '../../../tools/simulate/settlement/tables.ts';
import { httpRequest } from './card-facts.ts';

/** Goal: a client reports a bounded number of terminals, and honest ones are never refused. Method: a bucket that is full. */

const DATE = '2026-03-10';
const table = tableNames.businessDays;

const engines = await startEngines();
await createTables(engines.dynamoDb);

afterAll(async () => engines.stop());

const report = async (terminalId: string, mostInBucket: number, clientId = 'gateway') =>
  terminalTotalsTable(engines.dynamoDbClient, table).record(
    DATE,
    { clientId, terminalId, totals: [] },
    new Date(`${DATE}T12:00:00Z`),
    mostInBucket,
  );

/** Another terminal of the bucket of `till-1`, found by trying. */
function neighbour(): string {
  const bucket = bucketOf({ clientId: 'gateway', terminalId: 'till-1' });
  for (let number = 2; ; number++) {
    const terminalId = `till-${number}`;
    if (bucketOf({ clientId: 'gateway', terminalId }) === bucket) return terminalId;
  }
}

it('a terminal more than a bucket takes is refused; those that have reported correct themselves, and other clients report', async () => {
  expect(await report('till-1', 1)).toBe('recorded');
  expect(await report('till-1', 1)).toBe('recorded');
  expect(await report(neighbour(), 1)).toBe('too many');
  expect(await report('till-2', 1)).toBe('recorded');
  expect(await report('till-1', 1, 'other')).toBe('recorded');
  const ids: string[] = [];
  for await (const page of terminalTotalsTable(engines.dynamoDbClient, table).pagesOf(DATE))
    ids.push(...page.map(({ clientId, terminalId }) => `${clientId} ${terminalId}`));
  expect(ids.toSorted()).toEqual(['gateway till-1', 'gateway till-2', 'other till-1']);
});

it('two million terminals are all let in', () => {
  const fill = new Map<string, number>();
  for (let number = 0; number < 2_000_000; number++) {
    const bucket = bucketOf({ clientId: 'gateway', terminalId: `till-${number}` });
    fill.set(bucket, (fill.get(bucket) ?? 0) + 1);
  }
  expect(Math.max(...fill.values())).toBeLessThanOrEqual(MOST_IN_BUCKET);
  // And four million is what a client may report.
  expect(fill.size * MOST_IN_BUCKET).toBeGreaterThan(4_000_000);
});

it('what is refused is told as a problem of its own', async () => {
  const request = httpRequest({
    path: { terminalId: 'till-1', businessDate: DATE },
    body: JSON.stringify({ totals: [] }),
  });
  const refused = putTerminalTotals(request, {
    calendar: { timeZone: 'America/New_York', cutOff: '17:00' },
    now: () => new Date(`${DATE}T12:00:00Z`),
    days: {
      read: async () => Promise.resolve(undefined),
      begin: async () => Promise.resolve('begun'),
    },
    terminalTotals: { record: async () => Promise.resolve('too many') },
  });
  await expect(refused).rejects.toMatchObject({ status: 422, slug: 'too-many-terminals' });
});
