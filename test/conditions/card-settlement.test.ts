import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from '@jest/globals';
import { tables } from '../../lambda/card-settlement/contract.ts';
import type { BusinessDay } from '../../lambda/card-settlement/domain/business-day.ts';
import { FIRST_EFFECTIVE_DATE } from '../../lambda/card-settlement/domain/merchant.ts';
import { settle } from '../../lambda/card-settlement/domain/settlement.ts';
import { daysTable } from '../../lambda/card-settlement/store/business-days.ts';
import { ratesTable } from '../../lambda/card-settlement/store/fx-rates.ts';
import { leasesTable, type LeaseRequest } from '../../lambda/card-settlement/store/leases.ts';
import { ledgerTable } from '../../lambda/card-settlement/store/ledger.ts';
import { merchantsTable } from '../../lambda/card-settlement/store/merchants.ts';
import { stagedTable } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { balancedDay, fxRates, profile, stagedFact } from '../unit/card-settlement/card-facts.ts';
import { conditionalWrites, conditionsIn, declaredIn, type Scenario } from './conditional-writes.ts';

/**
 * Goal: each condition of a write of the settlement protects what it is there for.
 * Method: the table adapters on DynamoDB's engine; each scenario once as it stands, and once without the condition, or
 * without one clause of it.
 */

const { protects, declared } = conditionalWrites();
const date = '2026-03-10';
const now = new Date('2026-03-10T22:00:00.000Z');
const later = new Date('2026-03-10T22:05:00.000Z');
const muchLater = new Date('2026-03-10T22:30:00.000Z');

protects(
  'a fact is staged once: what comes later under its id changes nothing',
  {
    file: 'card-settlement/store/staged-transactions.ts',
    condition: 'attribute_not_exists(transactionId)',
  },
  tables.stagedTransactions,
  async ({ client, table }) => {
    const fact = stagedFact();
    expect(await stagedTable(client, table).put(fact)).toBe('written');
    expect(await stagedTable(client, table).put({ ...fact, amount: 1 })).toBe('exists');
    expect(await stagedTable(client, table).get(fact.factId)).toEqual(fact);
  },
);

protects(
  'the ledger keeps the first entry of a fact, whatever a later delivery would write',
  { file: 'card-settlement/store/ledger.ts', condition: 'attribute_not_exists(businessDateShard)' },
  tables.ledger,
  async ({ client, table }) => {
    const fact = stagedFact();
    const entryOf = (amount: number) =>
      settle({ ...fact, amount }, profile(), undefined, { score: 0, rules: [] }, 70);
    expect(await ledgerTable(client, table).put(entryOf(497), now)).toBe('written');
    expect(await ledgerTable(client, table).put(entryOf(498), later)).toBe('exists');
    const entry = await ledgerTable(client, table).get(fact);
    expect(entry).toMatchObject({ amount: 497n, settledAt: now.toISOString() });
  },
);

protects(
  'of two first profiles of a merchant one is in force on every date, the other a change from the next one on',
  { file: 'card-settlement/store/merchants.ts', condition: 'attribute_not_exists(merchantId)' },
  tables.merchants,
  async ({ client, table, beforeNextWrite }) => {
    const [first, second] = [profile({ name: 'First' }), profile({ name: 'Second' })];
    beforeNextWrite(async () => merchantsTable(client, table).record('m', first, date));
    await merchantsTable(client, table).record('m', second, date);
    expect(await merchantsTable(client, table).profileOn('m', '2026-03-09')).toMatchObject({
      name: 'First',
      effectiveFrom: FIRST_EFFECTIVE_DATE,
    });
    expect(await merchantsTable(client, table).profileOn('m', date)).toMatchObject({ name: 'Second' });
  },
);

const rates = { file: 'card-settlement/store/fx-rates.ts' } as const;

protects(
  'rates that a date converts with never change',
  { ...rates, condition: 'attribute_not_exists(frozenAt)' },
  tables.businessDays,
  async ({ client, table }) => {
    await ratesTable(client, table).record(date, fxRates());
    await ratesTable(client, table).freeze(date, now);
    const other = fxRates({ rates: { EUR: '0.5', JPY: '1', KWD: '1' } });
    expect(await ratesTable(client, table).record(date, other)).toBe('frozen');
    expect(await ratesTable(client, table).freeze(date, later)).toMatchObject(fxRates());
  },
);

protects(
  'rates of an earlier date do not take the place of the date’s own, which come just then',
  { ...rates, condition: 'attribute_not_exists(scopeKey)' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    await ratesTable(client, table).record(
      '2026-03-09',
      fxRates({ rateDate: '2026-03-09', rates: { EUR: '0.8' } }),
    );
    beforeNextWrite(async () => ratesTable(client, table).record(date, fxRates()));
    expect(await ratesTable(client, table).freeze(date, now)).toMatchObject(fxRates());
    expect(await ratesTable(client, table).find(date)).toMatchObject(fxRates());
  },
);

protects(
  'of two who add a currency to frozen rates at once neither loses the other’s',
  { ...rates, condition: 'rateCount = :before' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    const standing = fxRates({ rates: { EUR: '0.9' } });
    await ratesTable(client, table).record(date, standing);
    await ratesTable(client, table).freeze(date, now);
    const adding = async (currency: string) =>
      ratesTable(client, table).record(date, fxRates({ rates: { ...standing.rates, [currency]: '2' } }));
    const added: string[] = [];
    // The first write of the one is refused, for the rates are frozen; the other comes before its second.
    beforeNextWrite(async () => {
      beforeNextWrite(async () => added.push(await adding('GBP')));
    });
    added.push(await adding('CHF'));
    const found = await ratesTable(client, table).find(date);
    const kept = Object.keys(found?.rates ?? {}).length - 1;
    expect(kept).toBe(added.filter((outcome) => outcome === 'recorded').length);
  },
);

protects(
  'rates that somebody deleted are not frozen as none at all',
  { ...rates, condition: 'attribute_exists(scopeKey)' },
  tables.businessDays,
  async (scenario) => {
    const { client, table, beforeNextWrite } = scenario;
    await ratesTable(client, table).record(date, fxRates());
    const Key = marshall({ scopeKey: 'fx-rates', itemKey: date });
    beforeNextWrite(async () => client.send(new DeleteItemCommand({ TableName: table, Key })));
    await ratesTable(client, table)
      .freeze(date, now)
      .catch(() => undefined);
    expect(await itemsOf(scenario)).toEqual([]);
  },
);

const days = { file: 'card-settlement/store/business-days.ts' } as const;
const leases = { file: 'card-settlement/store/leases.ts' } as const;
const lease = (changes: Partial<LeaseRequest> = {}): LeaseRequest => ({
  holder: 'run-1',
  now,
  until: later,
  seal: true,
  ratesFound: false,
  ...changes,
});
const free = '(attribute_not_exists(leaseUntil) OR leaseUntil < :now)';
const goesOn = '(lastRun = :after OR lastMessage = :message)';
const concluding = (run: string) => ({ holder: run, run, messageId: `message of ${run}` });

protects(
  'a day that is known is not begun anew, sealed or not',
  { ...days, condition: 'attribute_not_exists(scopeKey)' },
  tables.businessDays,
  async ({ client, table }) => {
    expect(await daysTable(client, table).begin(date, now)).toBe('begun');
    await leasesTable(client, table).acquire(date, lease());
    expect(await daysTable(client, table).begin(date, later)).toBe('exists');
    expect(await daysTable(client, table).read(date)).toMatchObject({
      firstStagedAt: now.toISOString(),
      seal: { at: now.toISOString() },
    });
  },
);

protects(
  'one run at a time has a day, until its lease is over',
  { ...leases, condition: free },
  tables.businessDays,
  async ({ client, table }) => {
    expect(await leasesTable(client, table).acquire(date, lease())).toBeDefined();
    const second = lease({ holder: 'run-2', until: muchLater });
    expect(await leasesTable(client, table).acquire(date, second)).toBeUndefined();
    expect(await leasesTable(client, table).acquire(date, { ...second, now: muchLater })).toBeDefined();
  },
);

/** A day that `run-1` has concluded, and who comes after it. */
const concluded = async ({ client, table }: Pick<Scenario, 'client' | 'table'>): Promise<LeaseRequest> => {
  const day = await leasesTable(client, table).acquire(date, lease());
  if (day === undefined) throw new Error('Nobody else has the day.');
  await leasesTable(client, table).finish(day, concluding('run-1'));
  return lease({ holder: 'run-2', goesOn: { after: 'run-1', messageId: 'message of run-2' } });
};

protects(
  'a run that goes on waits for the one that has the day',
  { ...leases, condition: `${free} AND ${goesOn}`, clause: free },
  tables.businessDays,
  async ({ client, table }) => {
    const next = await concluded({ client, table });
    await leasesTable(client, table).acquire(date, lease({ holder: 'run-3' }));
    expect(await leasesTable(client, table).acquire(date, next)).toBeUndefined();
  },
);

protects(
  'a series of runs ends where another run has concluded since, be it of the same message that came twice',
  { ...leases, condition: `${free} AND ${goesOn}`, clause: goesOn },
  tables.businessDays,
  async ({ client, table }) => {
    const next = await concluded({ client, table });
    const day = await leasesTable(client, table).acquire(date, next);
    if (day === undefined) throw new Error('Nobody else has the day.');
    await leasesTable(client, table).finish(day, concluding('run-2'));
    const doubled = { ...next, holder: 'run-3', goesOn: { after: 'run-1', messageId: 'its double' } };
    expect(await leasesTable(client, table).acquire(date, doubled)).toBeUndefined();
    // The very message comes again if its run could not hand on what it had concluded.
    expect(await leasesTable(client, table).acquire(date, { ...next, holder: 'run-4' })).toBeDefined();
  },
);

protects(
  'who asks for another run of a day that no run has any more is told so, and runs it',
  { ...leases, condition: 'leaseUntil >= :now' },
  tables.businessDays,
  async ({ client, table }) => {
    await leasesTable(client, table).acquire(date, lease());
    expect(await leasesTable(client, table).requestRerun(date, 'operator', now)).toBe(true);
    expect(await leasesTable(client, table).requestRerun(date, 'operator', muchLater)).toBe(false);
    expect(await leasesTable(client, table).requestRerun('2026-03-11', 'operator', now)).toBe(false);
  },
);

protects(
  'a run that fails after it has lost its day to another one leaves it to that one',
  { ...leases, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    await leasesTable(client, table).acquire(date, lease());
    const until = new Date(muchLater.getTime() + 60_000);
    await leasesTable(client, table).acquire(date, lease({ holder: 'run-2', now: muchLater, until }));
    expect(await leasesTable(client, table).release(date, 'run-1')).toBe('lost');
    const third = lease({ holder: 'run-3', now: muchLater, until });
    expect(await leasesTable(client, table).acquire(date, third)).toBeUndefined();
    expect(await leasesTable(client, table).release(date, 'run-2')).toEqual({});
    expect(await leasesTable(client, table).acquire(date, third)).toBeDefined();
  },
);

protects(
  'a run that has lost its day to another one concludes nothing',
  { ...leases, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    const mine = await leasesTable(client, table).acquire(date, lease());
    const other = await leasesTable(client, table).acquire(
      date,
      lease({ holder: 'run-2', now: muchLater, until: new Date(muchLater.getTime() + 60_000) }),
    );
    const balanced = (day: BusinessDay | undefined, revision: number) =>
      balancedDay({ ...(day?.status === 'sealed' ? { seal: day.seal } : {}), businessDate: date, revision });
    expect(await leasesTable(client, table).finish(balanced(mine, 7), concluding('run-1'))).toBe('lost');
    expect(await daysTable(client, table).read(date)).toMatchObject({ status: 'sealed' });
    expect(await leasesTable(client, table).finish(balanced(other, 1), concluding('run-2'))).toEqual({});
    expect(await daysTable(client, table).read(date)).toMatchObject({ revision: 1 });
  },
);

protects(
  'a run that has lost its day hands nobody another run’s lease',
  { ...leases, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    await leasesTable(client, table).acquire(date, lease());
    const until = new Date(muchLater.getTime() + 60_000);
    await leasesTable(client, table).acquire(date, lease({ holder: 'run-2', now: muchLater, until }));
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    const from = { holder: 'run-1', until };
    expect(await leasesTable(client, table).handOver(date, from, cutRun)).toBe('lost');
    expect(
      await leasesTable(client, table).takeUp(date, lease({ holder: 'next', now: muchLater }), cutRun),
    ).toBeUndefined();
  },
);

protects(
  'a walk goes on once for each part, again if its invocation died, and not if another run has begun since',
  {
    ...leases,
    condition:
      'leaseHolder = :ticket OR (cutRun = :run AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now))',
  },
  tables.businessDays,
  async ({ client, table }) => {
    await leasesTable(client, table).acquire(date, lease());
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    await leasesTable(client, table).handOver(date, { holder: 'run-1', until: later }, cutRun);
    const takenBy = async (holder: string, at: Date): Promise<boolean> =>
      (await leasesTable(client, table).takeUp(date, { holder, now: at, until: later }, cutRun)) !==
      undefined;
    expect(await takenBy('part-1', now)).toBe(true);
    expect(await takenBy('its double', now)).toBe(false);
    expect(await takenBy('part-1 again', muchLater)).toBe(true);
    await leasesTable(client, table).acquire(date, lease({ holder: 'run-2', now: muchLater, until: later }));
    expect(await takenBy('part-1 too late', muchLater)).toBe(false);
  },
);

const missing =
  'attribute_exists(revision) AND attribute_not_exists(ratesMissing) AND attribute_not_exists(balancedAt)';

protects(
  'rates that are missing make no day of a date that has none',
  { ...days, condition: missing, clause: 'attribute_exists(revision)' },
  tables.businessDays,
  async (scenario) => {
    await daysTable(scenario.client, scenario.table).markRatesMissing(date, ['USD']);
    expect(await itemsOf(scenario)).toEqual([]);
  },
);

protects(
  'a day says which rates it has waited for from the first, and who found them missing is told once',
  { ...days, condition: missing, clause: 'attribute_not_exists(ratesMissing)' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    await daysTable(client, table).begin(date, now);
    // Both have found no mark.
    beforeNextWrite(async () =>
      expect(await daysTable(client, table).markRatesMissing(date, ['USD', 'EUR'])).toBe('marked'),
    );
    expect(await daysTable(client, table).markRatesMissing(date, ['USD', 'JPY'])).toBe('known');
    expect(await daysTable(client, table).read(date)).toMatchObject({ ratesMissing: ['USD', 'EUR'] });
  },
);

protects(
  'a late duplicate does not block a day that is balanced',
  { ...days, condition: missing, clause: 'attribute_not_exists(balancedAt)' },
  tables.businessDays,
  async ({ client, table }) => {
    const day = await leasesTable(client, table).acquire(date, lease());
    if (day === undefined) throw new Error('Nobody else has the day.');
    await leasesTable(client, table).finish(balancedDay({ businessDate: date }), concluding('run-1'));
    expect(await daysTable(client, table).markRatesMissing(date, ['USD'])).toBe('known');
    expect(await daysTable(client, table).read(date)).not.toHaveProperty('ratesMissing');
  },
);

test('every condition of the settlement has its scenario', () => {
  // `fx-rates.ts` hands two conditions to one write; `leases.ts` makes one in two forms, and has one in two writes.
  const counted = conditionsIn('card-settlement');
  const more = { [rates.file]: 1, [leases.file]: 0 };
  expect(declaredIn(declared)).toEqual(
    Object.fromEntries(
      Object.entries(counted).map(([file, count]) => [file, count + (Reflect.get(more, file) ?? 0)]),
    ),
  );
});

async function itemsOf({ client, table }: Pick<Scenario, 'client' | 'table'>): Promise<unknown[]> {
  const { Items: items = [] } = await client.send(
    new ScanCommand({ TableName: table, ConsistentRead: true }),
  );
  return items.map((item) => unmarshall(item));
}
