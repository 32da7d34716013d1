import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
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
import {
  conditionalWrites,
  conditionsIn,
  declaredIn,
  type ConditionalWrite,
  type Scenario,
} from './conditional-writes.ts';

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
const muchLaterStill = new Date('2026-03-10T22:31:00.000Z');

type Leases = ReturnType<typeof leasesTable>;

function protectsDay(
  what: string,
  write: ConditionalWrite,
  scenario: (
    on: Scenario & {
      readonly rates: ReturnType<typeof ratesTable>;
      readonly days: ReturnType<typeof daysTable>;
      readonly leases: Leases;
    },
  ) => Promise<void>,
): void {
  protects(what, write, tables.businessDays, async (on) => {
    const { client, table } = on;
    await scenario({
      ...on,
      rates: ratesTable(client, table),
      days: daysTable(client, table),
      leases: leasesTable(client, table),
    });
  });
}

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

const ofRates = { file: 'card-settlement/store/fx-rates.ts' } as const;

protectsDay(
  'rates that a date converts with never change',
  { ...ofRates, condition: 'attribute_not_exists(frozenAt)' },
  async ({ rates }) => {
    await rates.record(date, fxRates());
    await rates.freeze(date, now);
    const other = fxRates({ rates: { EUR: '0.5', JPY: '1', KWD: '1' } });
    expect(await rates.record(date, other)).toBe('frozen');
    expect(await rates.freeze(date, later)).toMatchObject(fxRates());
  },
);

protectsDay(
  'rates of an earlier date do not take the place of the date’s own, which come just then',
  { ...ofRates, condition: 'attribute_not_exists(scopeKey)' },
  async ({ rates, beforeNextWrite }) => {
    await rates.record('2026-03-09', fxRates({ rateDate: '2026-03-09', rates: { EUR: '0.8' } }));
    beforeNextWrite(async () => rates.record(date, fxRates()));
    expect(await rates.freeze(date, now)).toMatchObject(fxRates());
    expect(await rates.find(date)).toMatchObject(fxRates());
  },
);

protectsDay(
  'of two who add a currency to frozen rates at once neither loses the other’s',
  { ...ofRates, condition: 'rateCount = :before' },
  async ({ rates, beforeNextWrite }) => {
    const standing = fxRates({ rates: { EUR: '0.9' } });
    await rates.record(date, standing);
    await rates.freeze(date, now);
    const adding = async (currency: string) =>
      rates.record(date, fxRates({ rates: { ...standing.rates, [currency]: '2' } }));
    const added: string[] = [];
    // The first write of the one is refused, for the rates are frozen; the other comes before its second.
    beforeNextWrite(async () => {
      beforeNextWrite(async () => added.push(await adding('GBP')));
    });
    added.push(await adding('CHF'));
    const found = await rates.find(date);
    const kept = Object.keys(found?.rates ?? {}).length - 1;
    expect(kept).toBe(added.filter((outcome) => outcome === 'recorded').length);
  },
);

protectsDay(
  'rates that somebody deleted are not frozen as none at all',
  { ...ofRates, condition: 'attribute_exists(scopeKey)' },
  async ({ rates, client, table, beforeNextWrite, items }) => {
    await rates.record(date, fxRates());
    const Key = marshall({ scopeKey: 'fx-rates', itemKey: date });
    beforeNextWrite(async () => client.send(new DeleteItemCommand({ TableName: table, Key })));
    await rates.freeze(date, now).catch(() => undefined);
    expect(await items()).toEqual([]);
  },
);

const ofDays = { file: 'card-settlement/store/business-days.ts' } as const;
const ofLeases = { file: 'card-settlement/store/leases.ts' } as const;
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

protectsDay(
  'a day that is known is not begun anew, sealed or not',
  { ...ofDays, condition: 'attribute_not_exists(scopeKey)' },
  async ({ days, leases }) => {
    expect(await days.begin(date, now)).toBe('begun');
    await leases.acquire(date, lease());
    expect(await days.begin(date, later)).toBe('exists');
    expect(await days.read(date)).toMatchObject({
      firstStagedAt: now.toISOString(),
      seal: { at: now.toISOString() },
    });
  },
);

protectsDay(
  'one run at a time has a day, until its lease is over',
  { ...ofLeases, condition: free },
  async ({ leases }) => {
    expect(await leases.acquire(date, lease())).toBeDefined();
    const second = lease({ holder: 'run-2', until: muchLater });
    expect(await leases.acquire(date, second)).toBeUndefined();
    expect(await leases.acquire(date, { ...second, now: muchLater })).toBeDefined();
  },
);

/** A day that `run-1` has concluded. @returns who comes after it */
async function concluded(leases: Leases): Promise<LeaseRequest> {
  await conclude(leases, lease());
  return lease({ holder: 'run-2', goesOn: { after: 'run-1', messageId: 'message of run-2' } });
}

async function conclude(leases: Leases, request: LeaseRequest, as?: BusinessDay): Promise<void> {
  const day = await leases.acquire(date, request);
  if (day === undefined) throw new Error('Nobody else has the day.');
  await leases.finish(as ?? day, concluding(request.holder));
}

protectsDay(
  'a run that goes on waits for the one that has the day',
  { ...ofLeases, condition: `${free} AND ${goesOn}`, clause: free },
  async ({ leases }) => {
    const next = await concluded(leases);
    await leases.acquire(date, lease({ holder: 'run-3' }));
    expect(await leases.acquire(date, next)).toBeUndefined();
  },
);

protectsDay(
  'a series of runs ends where another run has concluded since, be it of the same message that came twice',
  { ...ofLeases, condition: `${free} AND ${goesOn}`, clause: goesOn },
  async ({ leases }) => {
    const next = await concluded(leases);
    await conclude(leases, next);
    const doubled = { ...next, holder: 'run-3', goesOn: { after: 'run-1', messageId: 'its double' } };
    expect(await leases.acquire(date, doubled)).toBeUndefined();
    // The very message comes again if its run could not hand on what it had concluded.
    expect(await leases.acquire(date, { ...next, holder: 'run-4' })).toBeDefined();
  },
);

protectsDay(
  'who asks for another run of a day that no run has any more is told so, and runs it',
  { ...ofLeases, condition: 'leaseUntil >= :now' },
  async ({ leases }) => {
    await leases.acquire(date, lease());
    expect(await leases.requestRerun(date, 'operator', now)).toBe(true);
    expect(await leases.requestRerun(date, 'operator', muchLater)).toBe(false);
    expect(await leases.requestRerun('2026-03-11', 'operator', now)).toBe(false);
  },
);

protectsDay(
  'a run that fails after it has lost its day to another one leaves it to that one',
  { ...ofLeases, condition: 'leaseHolder = :holder' },
  async ({ leases }) => {
    await leases.acquire(date, lease());
    await leases.acquire(date, lease({ holder: 'run-2', now: muchLater, until: muchLaterStill }));
    expect(await leases.release(date, 'run-1')).toBe('lost');
    const third = lease({ holder: 'run-3', now: muchLater, until: muchLaterStill });
    expect(await leases.acquire(date, third)).toBeUndefined();
    expect(await leases.release(date, 'run-2')).toEqual({});
    expect(await leases.acquire(date, third)).toBeDefined();
  },
);

protectsDay(
  'a run that has lost its day to another one concludes nothing',
  { ...ofLeases, condition: 'leaseHolder = :holder' },
  async ({ days, leases }) => {
    const mine = await leases.acquire(date, lease());
    const other = await leases.acquire(
      date,
      lease({ holder: 'run-2', now: muchLater, until: muchLaterStill }),
    );
    const balanced = (day: BusinessDay | undefined, revision: number) =>
      balancedDay({ ...(day?.status === 'sealed' ? { seal: day.seal } : {}), businessDate: date, revision });
    expect(await leases.finish(balanced(mine, 7), concluding('run-1'))).toBe('lost');
    expect(await days.read(date)).toMatchObject({ status: 'sealed' });
    expect(await leases.finish(balanced(other, 1), concluding('run-2'))).toEqual({});
    expect(await days.read(date)).toMatchObject({ revision: 1 });
  },
);

protectsDay(
  'a run that has lost its day hands nobody another run’s lease',
  { ...ofLeases, condition: 'leaseHolder = :holder' },
  async ({ leases }) => {
    await leases.acquire(date, lease());
    await leases.acquire(date, lease({ holder: 'run-2', now: muchLater, until: muchLaterStill }));
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    const from = { holder: 'run-1', until: muchLaterStill };
    expect(await leases.handOver(date, from, cutRun)).toBe('lost');
    expect(await leases.takeUp(date, lease({ holder: 'next', now: muchLater }), cutRun)).toBeUndefined();
  },
);

protectsDay(
  'a walk goes on once for each part, again if its invocation died, and not if another run has begun since',
  {
    ...ofLeases,
    condition:
      'leaseHolder = :ticket OR (cutRun = :run AND (attribute_not_exists(leaseUntil) OR leaseUntil < :now))',
  },
  async ({ leases }) => {
    await leases.acquire(date, lease());
    const cutRun = { run: 'run-1', ticket: 'run-1/1' };
    await leases.handOver(date, { holder: 'run-1', until: later }, cutRun);
    const takenBy = async (holder: string, at: Date): Promise<boolean> =>
      (await leases.takeUp(date, { holder, now: at, until: later }, cutRun)) !== undefined;
    expect(await takenBy('part-1', now)).toBe(true);
    expect(await takenBy('its double', now)).toBe(false);
    expect(await takenBy('part-1 again', muchLater)).toBe(true);
    await leases.acquire(date, lease({ holder: 'run-2', now: muchLater, until: later }));
    expect(await takenBy('part-1 too late', muchLater)).toBe(false);
  },
);

const missing =
  'attribute_exists(revision) AND attribute_not_exists(ratesMissing) AND attribute_not_exists(balancedAt)';

protectsDay(
  'rates that are missing make no day of a date that has none',
  { ...ofDays, condition: missing, clause: 'attribute_exists(revision)' },
  async ({ days, items }) => {
    await days.markRatesMissing(date, ['USD']);
    expect(await items()).toEqual([]);
  },
);

protectsDay(
  'a day says which rates it has waited for from the first, and who found them missing is told once',
  { ...ofDays, condition: missing, clause: 'attribute_not_exists(ratesMissing)' },
  async ({ days, beforeNextWrite }) => {
    await days.begin(date, now);
    // Both have found no mark.
    beforeNextWrite(async () => expect(await days.markRatesMissing(date, ['USD', 'EUR'])).toBe('marked'));
    expect(await days.markRatesMissing(date, ['USD', 'JPY'])).toBe('known');
    expect(await days.read(date)).toMatchObject({ ratesMissing: ['USD', 'EUR'] });
  },
);

protectsDay(
  'a late duplicate does not block a day that is balanced',
  { ...ofDays, condition: missing, clause: 'attribute_not_exists(balancedAt)' },
  async ({ days, leases }) => {
    await conclude(leases, lease(), balancedDay({ businessDate: date }));
    expect(await days.markRatesMissing(date, ['USD'])).toBe('known');
    expect(await days.read(date)).not.toHaveProperty('ratesMissing');
  },
);

test('every condition of the settlement has its scenario', () => {
  // `fx-rates.ts` hands two conditions to one write; `leases.ts` makes one in two forms, and has one in two writes.
  const counted = conditionsIn('card-settlement');
  expect(declaredIn(declared)).toEqual({ ...counted, [ofRates.file]: (counted[ofRates.file] ?? 0) + 1 });
});
