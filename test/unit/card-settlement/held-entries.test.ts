import { afterAll, expect, test } from '@jest/globals';
import { settle } from '../../../lambda/card-settlement/domain/settlement.ts';
import { ledgerTable } from '../../../lambda/card-settlement/store/ledger.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { createTables } from '../../../tools/simulate/settlement/tables.ts';
import { profile, stagedFact } from './card-facts.ts';

/**
 * Goal: what waits for review costs what is held, not what the day has. Method: the ledger on a real engine, every item
 * that a query reads counted at the endpoint.
 */

const DATE = '2026-03-10';
let scanned = 0;

const engines = await startEngines({
  interceptors: [
    async (call, proceed) => {
      const answer = await proceed();
      if (call.action === 'Query') scanned += scannedIn(answer.body);
      return answer;
    },
  ],
});
await createTables(engines.dynamoDb);

afterAll(() => engines.stop());

function scannedIn(body: unknown): number {
  if (typeof body !== 'object' || body === null || !('ScannedCount' in body)) return 0;
  return Number(body.ScannedCount);
}

test('the held entries of a date are read in order, and nothing else is', async () => {
  const ledger = ledgerTable(engines.dynamoDbClient, tableNames.ledger);
  const put = async (factId: string, score: number, businessDate = DATE) =>
    ledger.put(
      settle(stagedFact({ factId, businessDate }), profile(), undefined, { score, rules: [] }, 70),
      new Date('2026-03-10T22:00:00Z'),
    );
  for (let number = 0; number < 200; number++)
    await put(`t${String(number).padStart(3, '0')}`, number % 50 === 7 ? 70 : 0);
  await put('another-date', 70, '2026-03-11');

  const read = async (after?: string) => {
    const found = [];
    for await (const entry of ledger.heldOf(DATE, after)) found.push(entry);
    return found;
  };
  const held = await read();
  expect(held.map(({ factId, status }) => [factId, status])).toEqual(
    ['t007', 't057', 't107', 't157'].map((id) => [id, 'held']),
  );
  expect(scanned).toBe(4);
  expect((await read('mer_12764b37#t057')).map(({ factId }) => factId)).toEqual(['t107', 't157']);
});
