import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { putFxRates } from '../../../lambda/card-settlement/rates/handler.ts';
import { ratesTable } from '../../../lambda/card-settlement/store/fx-rates.ts';
import { awsError } from '../../../local/endpoint/index.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { calendar, tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { createTables } from '../../../tools/simulate/settlement/tables.ts';
import { captureLog } from '../shared/captured-log.ts';
import { businessDay, fxRates, httpRequest } from './card-facts.ts';

/**
 * Goal: who repeats a PUT of rates whose answer was lost is told that it is done, and a day that waits is woken. Method:
 * the real table on an engine whose endpoint loses the answers to writes.
 */

const NOW = new Date('2026-03-10T22:00:00Z');
const euro = fxRates({ rates: { EUR: '0.9' } });
const both = fxRates({ rates: { EUR: '0.9', JPY: '150' } });

/** Writes whose answer is lost from now on. */
let lost: string[] = [];
let date = '2026-03-01';

const engines = await startEngines({
  interceptors: [
    async (call, proceed) => {
      const answer = await proceed();
      const isLost = lost[0] === call.action;
      if (isLost) lost.shift();
      return isLost ? awsError('com.amazonaws.dynamodb.v20120810#InternalServerError', 'Lost.', 500) : answer;
    },
  ],
});
await createTables(engines.dynamoDb);
const { region, credentials } = engines.dynamoDbClient.config;
// It retries, as the functions' client does.
const client = new DynamoDBClient({ region, credentials, endpoint: engines.endpoint.url, maxAttempts: 3 });
const table = ratesTable(client, tableNames.businessDays);

beforeEach(() => {
  lost = [];
  date = `2026-03-${String(Number(date.slice(8)) + 1).padStart(2, '0')}`;
});

afterAll(async () => {
  client.destroy();
  await engines.stop();
});

async function put(rates: typeof euro) {
  const sent: unknown[] = [];
  const request = httpRequest({ path: { businessDate: date }, body: JSON.stringify(rates) });
  const { result } = await captureLog(() =>
    putFxRates(request, {
      calendar,
      now: () => NOW,
      rates: table,
      days: {
        pagesOf: async function* ({ from = '' }) {
          yield await Promise.resolve([
            { ...businessDay({ businessDate: from }), status: 'blocked', ratesMissing: ['JPY'] },
          ]);
        },
      },
      sendReconcileMessage: async (message) => {
        sent.push(message);
        return Promise.resolve();
      },
    }),
  );
  return { status: result.status, sent };
}

const done = () => ({
  status: 204,
  sent: [{ kind: 'business-day', businessDate: date, trigger: 'rates' }],
});

test('the same rates again are recorded, also when they are frozen', async () => {
  expect(await put(euro)).toEqual(done());
  await table.freeze(date, NOW);
  expect(await put(euro)).toEqual(done());
  await expect(put(fxRates({ rates: { EUR: '0.8' } }))).rejects.toMatchObject({ slug: 'rates-frozen' });
});

test('a currency that was added is recorded, though the answer to the write was lost', async () => {
  await put(euro);
  await table.freeze(date, NOW);
  lost = ['UpdateItem'];
  expect(await put(both)).toEqual(done());
  expect(lost).toEqual([]);
  expect(await put(both)).toEqual(done());
  expect(await table.find(date)).toMatchObject(both);
  await expect(put(euro)).rejects.toMatchObject({ slug: 'rates-frozen' });
});
