import { DeleteItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from '@jest/globals';
import { tables } from '../../lambda/card-settlement/contract.ts';
import type { BusinessDay } from '../../lambda/card-settlement/domain/business-day.ts';
import { FIRST_EFFECTIVE_DATE } from '../../lambda/card-settlement/domain/merchant.ts';
import { settle } from '../../lambda/card-settlement/domain/settlement.ts';
import {
  acquireLease,
  beginDay,
  finishRun,
  handOver,
  releaseLease,
  markRatesMissing,
  readDay,
  requestRerun,
  takeUp,
  type LeaseRequest,
} from '../../lambda/card-settlement/store/business-days.ts';
import { findRates, freezeRates, recordRates } from '../../lambda/card-settlement/store/fx-rates.ts';
import { getEntry, putEntry } from '../../lambda/card-settlement/store/ledger.ts';
import { profileOn, recordProfile } from '../../lambda/card-settlement/store/merchants.ts';
import { getStagedFact, putStagedFact } from '../../lambda/card-settlement/store/staged-transactions.ts';
import { fxRates, profile, stagedFact } from '../unit/card-settlement/card-facts.ts';
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
    expect(await putStagedFact(client, table, fact)).toBe('written');
    expect(await putStagedFact(client, table, { ...fact, amount: 1 })).toBe('exists');
    expect(await getStagedFact(client, table, fact.transactionId)).toEqual(fact);
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
    expect(await putEntry(client, table, entryOf(497), now)).toBe('written');
    expect(await putEntry(client, table, entryOf(498), later)).toBe('exists');
    const entry = await getEntry(client, table, fact);
    expect(entry).toMatchObject({ amount: 497n, settledAt: now.toISOString() });
  },
);

protects(
  'of two first profiles of a merchant one is in force on every date, the other a change from the next one on',
  { file: 'card-settlement/store/merchants.ts', condition: 'attribute_not_exists(merchantId)' },
  tables.merchants,
  async ({ client, table, beforeNextWrite }) => {
    const [first, second] = [profile({ name: 'First' }), profile({ name: 'Second' })];
    beforeNextWrite(async () => recordProfile(client, table, 'm', first, date));
    await recordProfile(client, table, 'm', second, date);
    expect(await profileOn(client, table, 'm', '2026-03-09')).toMatchObject({
      name: 'First',
      effectiveFrom: FIRST_EFFECTIVE_DATE,
    });
    expect(await profileOn(client, table, 'm', date)).toMatchObject({ name: 'Second' });
  },
);

const rates = { file: 'card-settlement/store/fx-rates.ts' } as const;

protects(
  'rates that a date converts with never change',
  { ...rates, condition: 'attribute_not_exists(frozenAt)' },
  tables.businessDays,
  async ({ client, table }) => {
    await recordRates(client, table, date, fxRates());
    await freezeRates(client, table, date, now);
    const other = fxRates({ rates: { EUR: '0.5', JPY: '1', KWD: '1' } });
    expect(await recordRates(client, table, date, other)).toBe('frozen');
    expect(await freezeRates(client, table, date, later)).toMatchObject(fxRates());
  },
);

protects(
  'rates of an earlier date do not take the place of the date’s own, which come just then',
  { ...rates, condition: 'attribute_not_exists(scopeKey)' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    await recordRates(
      client,
      table,
      '2026-03-09',
      fxRates({ rateDate: '2026-03-09', rates: { EUR: '0.8' } }),
    );
    beforeNextWrite(async () => recordRates(client, table, date, fxRates()));
    expect(await freezeRates(client, table, date, now)).toMatchObject(fxRates());
    expect(await findRates(client, table, date)).toMatchObject(fxRates());
  },
);

protects(
  'of two who add a currency to frozen rates at once neither loses the other’s',
  { ...rates, condition: 'rateCount = :before' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    const standing = fxRates({ rates: { EUR: '0.9' } });
    await recordRates(client, table, date, standing);
    await freezeRates(client, table, date, now);
    const adding = async (currency: string) =>
      recordRates(client, table, date, fxRates({ rates: { ...standing.rates, [currency]: '2' } }));
    const added: string[] = [];
    // The first write of the one is refused, for the rates are frozen; the other comes before its second.
    beforeNextWrite(async () => {
      beforeNextWrite(async () => added.push(await adding('GBP')));
    });
    added.push(await adding('CHF'));
    const found = await findRates(client, table, date);
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
    await recordRates(client, table, date, fxRates());
    const Key = marshall({ scopeKey: 'fx-rates', itemKey: date });
    beforeNextWrite(async () => client.send(new DeleteItemCommand({ TableName: table, Key })));
    await freezeRates(client, table, date, now).catch(() => undefined);
    expect(await itemsOf(scenario)).toEqual([]);
  },
);

const days = { file: 'card-settlement/store/business-days.ts' } as const;
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
    expect(await beginDay(client, table, date, now)).toBe('begun');
    await acquireLease(client, table, date, lease());
    expect(await beginDay(client, table, date, later)).toBe('exists');
    expect(await readDay(client, table, date)).toMatchObject({
      firstStagedAt: now.toISOString(),
      sealedAt: now.toISOString(),
    });
  },
);

protects(
  'one run at a time has a day, until its lease is over',
  { ...days, condition: free },
  tables.businessDays,
  async ({ client, table }) => {
    expect(await acquireLease(client, table, date, lease())).toBeDefined();
    const second = lease({ holder: 'run-2', until: muchLater });
    expect(await acquireLease(client, table, date, second)).toBeUndefined();
    expect(await acquireLease(client, table, date, { ...second, now: muchLater })).toBeDefined();
  },
);

/** A day that `run-1` has concluded, and who comes after it. */
const concluded = async ({ client, table }: Pick<Scenario, 'client' | 'table'>): Promise<LeaseRequest> => {
  const day = await acquireLease(client, table, date, lease());
  if (day === undefined) throw new Error('Nobody else has the day.');
  await finishRun(client, table, day, concluding('run-1'));
  return lease({ holder: 'run-2', goesOn: { after: 'run-1', messageId: 'message of run-2' } });
};

protects(
  'a run that goes on waits for the one that has the day',
  { ...days, condition: `${free} AND ${goesOn}`, clause: free },
  tables.businessDays,
  async ({ client, table }) => {
    const next = await concluded({ client, table });
    await acquireLease(client, table, date, lease({ holder: 'run-3' }));
    expect(await acquireLease(client, table, date, next)).toBeUndefined();
  },
);

protects(
  'a series of runs ends where another run has concluded since, be it of the same message that came twice',
  { ...days, condition: `${free} AND ${goesOn}`, clause: goesOn },
  tables.businessDays,
  async ({ client, table }) => {
    const next = await concluded({ client, table });
    const day = await acquireLease(client, table, date, next);
    if (day === undefined) throw new Error('Nobody else has the day.');
    await finishRun(client, table, day, concluding('run-2'));
    const doubled = { ...next, holder: 'run-3', goesOn: { after: 'run-1', messageId: 'its double' } };
    expect(await acquireLease(client, table, date, doubled)).toBeUndefined();
    // The very message comes again if its run could not hand on what it had concluded.
    expect(await acquireLease(client, table, date, { ...next, holder: 'run-4' })).toBeDefined();
  },
);

protects(
  'who asks for another run of a day that no run has any more is told so, and runs it',
  { ...days, condition: 'leaseUntil >= :now' },
  tables.businessDays,
  async ({ client, table }) => {
    await acquireLease(client, table, date, lease());
    expect(await requestRerun(client, table, date, 'operator', now)).toBe(true);
    expect(await requestRerun(client, table, date, 'operator', muchLater)).toBe(false);
    expect(await requestRerun(client, table, '2026-03-11', 'operator', now)).toBe(false);
  },
);

protects(
  'a run that fails after it has lost its day to another one leaves it to that one',
  { ...days, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    await acquireLease(client, table, date, lease());
    const until = new Date(muchLater.getTime() + 60_000);
    await acquireLease(client, table, date, lease({ holder: 'run-2', now: muchLater, until }));
    expect(await releaseLease(client, table, date, 'run-1')).toBe('lost');
    const third = lease({ holder: 'run-3', now: muchLater, until });
    expect(await acquireLease(client, table, date, third)).toBeUndefined();
    expect(await releaseLease(client, table, date, 'run-2')).toEqual({});
    expect(await acquireLease(client, table, date, third)).toBeDefined();
  },
);

protects(
  'a run that has lost its day to another one concludes nothing',
  { ...days, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    const mine = await acquireLease(client, table, date, lease());
    const other = await acquireLease(
      client,
      table,
      date,
      lease({ holder: 'run-2', now: muchLater, until: new Date(muchLater.getTime() + 60_000) }),
    );
    const balanced = (day: BusinessDay | undefined, revision: number): BusinessDay => ({
      ...(day ?? { businessDate: date, totals: {}, breaks: [] }),
      revision,
      balancedAt: muchLater.toISOString(),
    });
    expect(await finishRun(client, table, balanced(mine, 7), concluding('run-1'))).toBe('lost');
    expect(await readDay(client, table, date)).not.toHaveProperty('balancedAt');
    expect(await finishRun(client, table, balanced(other, 1), concluding('run-2'))).toEqual({});
    expect(await readDay(client, table, date)).toMatchObject({ revision: 1 });
  },
);

protects(
  'a run that has lost its day hands nobody another run’s lease',
  { ...days, condition: 'leaseHolder = :holder' },
  tables.businessDays,
  async ({ client, table }) => {
    await acquireLease(client, table, date, lease());
    const until = new Date(muchLater.getTime() + 60_000);
    await acquireLease(client, table, date, lease({ holder: 'run-2', now: muchLater, until }));
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    const from = { holder: 'run-1', until };
    expect(await handOver(client, table, date, from, cutRun)).toBe('lost');
    expect(
      await takeUp(client, table, date, lease({ holder: 'next', now: muchLater }), cutRun),
    ).toBeUndefined();
  },
);

protects(
  'a walk goes on once for each part, again if its invocation died, and not if another run has begun since',
  {
    ...days,
    condition:
      'leaseHolder = :ticket OR (cutRun = :run AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now))',
  },
  tables.businessDays,
  async ({ client, table }) => {
    await acquireLease(client, table, date, lease());
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    await handOver(client, table, date, { holder: 'run-1', until: later }, cutRun);
    const takenBy = async (holder: string, at: Date): Promise<boolean> =>
      (await takeUp(client, table, date, { holder, now: at, until: later }, cutRun)) !== undefined;
    expect(await takenBy('part-1', now)).toBe(true);
    expect(await takenBy('its double', now)).toBe(false);
    expect(await takenBy('part-1 again', muchLater)).toBe(true);
    await acquireLease(client, table, date, lease({ holder: 'run-2', now: muchLater, until: later }));
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
    await markRatesMissing(scenario.client, scenario.table, date, ['USD']);
    expect(await itemsOf(scenario)).toEqual([]);
  },
);

protects(
  'a day says which rates it has waited for from the first, and who found them missing is told once',
  { ...days, condition: missing, clause: 'attribute_not_exists(ratesMissing)' },
  tables.businessDays,
  async ({ client, table, beforeNextWrite }) => {
    await beginDay(client, table, date, now);
    // Both have found no mark.
    beforeNextWrite(async () =>
      expect(await markRatesMissing(client, table, date, ['USD', 'EUR'])).toBe('marked'),
    );
    expect(await markRatesMissing(client, table, date, ['USD', 'JPY'])).toBe('known');
    expect(await readDay(client, table, date)).toMatchObject({ ratesMissing: ['USD', 'EUR'] });
  },
);

protects(
  'a late duplicate does not block a day that is balanced',
  { ...days, condition: missing, clause: 'attribute_not_exists(balancedAt)' },
  tables.businessDays,
  async ({ client, table }) => {
    const day = await acquireLease(client, table, date, lease());
    if (day === undefined) throw new Error('Nobody else has the day.');
    await finishRun(client, table, { ...day, balancedAt: later.toISOString() }, concluding('run-1'));
    expect(await markRatesMissing(client, table, date, ['USD'])).toBe('known');
    expect(await readDay(client, table, date)).not.toHaveProperty('ratesMissing');
  },
);

test('every condition of the settlement has its scenario', () => {
  // `fx-rates.ts` hands two conditions to one write; `business-days.ts` makes one in two forms, and has one in two writes.
  const counted = conditionsIn('card-settlement');
  const more = { [rates.file]: 1, [days.file]: 0 };
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
