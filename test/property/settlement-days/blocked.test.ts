import { calendar, tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { expect, it } from '@jest/globals';
import { addDays, cutOffOf } from '../../../lambda/card-settlement/domain/business-date.ts';
import { daysTable } from '../../../lambda/card-settlement/store/business-days.ts';
import { ratesTable } from '../../../lambda/card-settlement/store/fx-rates.ts';
import { merchantsTable } from '../../../lambda/card-settlement/store/merchants.ts';
import { fxRates, profile, sale } from '../../unit/card-settlement/card-facts.ts';
import { resourcesOf } from '../../stack/templates.ts';
import { settlementWorld } from '../../../tools/simulate/settlement/world.ts';

/** Goal: a day waits for its rates as long as it must. Method: the simulated world, and Lambda's rule on recursive loops. */

const DATE = '2026-03-10';
const HOUR = 3_600_000;
const START = cutOffOf(addDays(DATE, -1), calendar).getTime();

/** A day that an operator wants settled at its beginning, and whose rates come when it is 23 hours old. */
async function waitForRates(stopsLoops: boolean) {
  const world = await settlementWorld(new Date(START + 60_000), undefined, { stopsLoops });
  const { client } = world.aws;
  const fact = sale();
  const inEuro = profile({ settlementCurrency: 'EUR' });
  await merchantsTable(client, tableNames.merchants).record(fact.merchantId, inEuro, DATE);
  await world.post({ ...fact, occurredAt: new Date(START + 1000).toISOString() }, 'key');
  world.requestReconcile(DATE);
  await world.advance(START + 23 * HOUR);
  const [waiting] = await world.days();
  // Nobody is told: the series finds them by itself.
  await ratesTable(client, tableNames.businessDays).record(DATE, fxRates());
  await world.advance(START + 23.5 * HOUR);
  const settled = (await world.scan('ledger')).length;
  await world.advance(START + 26 * HOUR);
  return { waiting, settled, deadLetters: world.deadLetters, days: await world.days() };
}

it('an operator’s series on an open day with missing rates lives through 24 hours without a dead letter', async () => {
  const worker = (await resourcesOf('sandbox')).find(
    ({ Type, logicalId }) => Type === 'AWS::Lambda::Function' && logicalId.startsWith('ReconcileWorker'),
  );
  const { waiting, settled, deadLetters, days } = await waitForRates(
    worker?.Properties['RecursiveLoop'] !== 'Allow',
  );
  expect(deadLetters).toEqual([]);
  expect(waiting).toMatchObject({ ratesMissing: ['USD', 'EUR'], breaks: [] });
  expect(settled).toBe(1);
  expect(days.map(({ status }) => status)).toEqual(['balanced']);
});

it('a function that does not allow loops ends the series in the dead-letter queue', async () => {
  const { settled, deadLetters } = await waitForRates(true);
  expect(deadLetters).toHaveLength(1);
  expect(settled).toBe(0);
});

it('of many facts that wait for rates, one writes to the day', async () => {
  const world = await settlementWorld(new Date(START));
  const days = daysTable(world.aws.client, tableNames.businessDays);
  await days.begin(DATE, world.now());
  const writes: number[] = [];
  for (let number = 0; number < 5; number++) {
    const marking = await world.aws.invoke(() => days.markRatesMissing(DATE, ['EUR']));
    writes.push(marking.writes);
  }
  expect(writes).toEqual([1, 0, 0, 0, 0]);
});
