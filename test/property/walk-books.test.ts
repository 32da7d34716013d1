import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cutOffOf } from '../../lambda/card-settlement/domain/business-date.ts';
import { seals, type BusinessDay, type Trigger } from '../../lambda/card-settlement/domain/business-day.ts';
import { conclude } from '../../lambda/card-settlement/domain/conclusion.ts';
import { sortKeyOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import { planRun, type RunSettings } from '../../lambda/card-settlement/domain/run-plan.ts';
import { settle, type LedgerEntry, type StagedFact } from '../../lambda/card-settlement/domain/settlement.ts';
import type { MerchantTotals } from '../../lambda/card-settlement/domain/totals.ts';
import {
  findingsOf,
  walk as walkOn,
  type WalkServices,
  type WalkingRun,
} from '../../lambda/card-settlement/reconcile/walk.ts';
import type { TerminalReport } from '../../lambda/card-settlement/domain/terminal-totals.ts';
import { businessDay, profile, stagedFact } from '../unit/card-settlement/card-facts.ts';
import { drawFrom } from '../../tools/simulate/draw.ts';

/**
 * Goal: a day always balances, and loses and doubles nothing, whatever happens to its messages. Method: a simulation on
 * a clock of its own. Writes of intake become visible late, messages are lost, doubled and delayed, runs come by the
 * schedule, by operators and by themselves, and some die half-way; the model is what was staged.
 */

const calendar = { timeZone: 'America/New_York', cutOff: '17:00' };
const settings: RunSettings = {
  calendar,
  sealWaitSeconds: 30,
  settlementWindowSeconds: 10,
  settlementHorizonSeconds: 960,
};
const DATE = '2026-03-10';
const CUT_OFF = cutOffOf(DATE, calendar).getTime();

/** A fact and when the index shows it: at most 15 s after it says it was staged. */
interface Staged {
  readonly fact: StagedFact;
  readonly visibleAt: number;
}

interface Faults {
  readonly seed: number;
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly deathPercent: number;
}

/** Pages of a few items: what is between two of them is no different from what is within. */
async function* stream<T>(items: readonly T[]): AsyncGenerator<readonly T[], void, undefined> {
  for (let from = 0; from < items.length; from += 7) yield await Promise.resolve(items.slice(from, from + 7));
}

async function walkBooks(day: BusinessDay, plan: WalkingRun['plan'], services: WalkServices) {
  return findingsOf(await walkOn({ id: 'run', day, plan }, undefined, services, () => false));
}

type Event =
  | { readonly at: number; readonly kind: 'message'; readonly factId: string }
  | {
      readonly at: number;
      readonly kind: 'run';
      readonly trigger: Trigger;
      readonly after?: string;
      readonly attempt: number;
    };

function simulation(faults: Faults) {
  const random = drawFrom(faults.seed);
  const happens = (percent: number): boolean => random(100) < percent;
  const staged: Staged[] = [];
  const ledger = new Map<string, LedgerEntry>();
  const merchantTotals = new Map<string, MerchantTotals>();
  const events: Event[] = [];
  let day: BusinessDay = businessDay({ firstStagedAt: new Date(CUT_OFF - 10_000_000).toISOString() });
  let lastRun: string | undefined;
  let runCount = 0;
  const batchSizes: number[] = [];

  function booksAt(now: number): WalkServices {
    return {
      books: {
        staged: {
          pagesOf: () =>
            stream(
              staged
                .filter(({ visibleAt }) => visibleAt <= now)
                .map(({ fact }) => fact)
                .toSorted((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1)),
            ),
        },
        ledger: {
          pagesOf: () =>
            stream([...ledger.values()].toSorted((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1))),
        },
        terminalTotals: { pagesOf: () => stream<TerminalReport>([]) },
        merchantTotals: {
          write: async ({ revision }, totals) => {
            for (const each of totals)
              merchantTotals.set(`${revision}#${each.merchantId}#${each.currency}`, each);
            return Promise.resolve();
          },
        },
      },
      send: async (factIds) => {
        batchSizes.push(factIds.length);
        for (const factId of factIds) {
          for (let copies = happens(faults.duplicatePercent) ? 3 : 1; copies > 0; copies--) {
            if (happens(faults.lossPercent)) continue;
            events.push({
              kind: 'message',
              factId,
              at: now + 1000 + random(settings.settlementHorizonSeconds * 1000),
            });
          }
        }
        return Promise.resolve();
      },
      noteSends: async () => Promise.resolve(),
    };
  }

  async function run(event: Event & { readonly kind: 'run' }): Promise<void> {
    if (event.trigger === 'continue' && event.after !== lastRun) return;
    const startedAt = new Date(event.at);
    const id = `run-${(runCount += 1)}`;
    if (seals(DATE, day, event.trigger, startedAt, calendar)) {
      const at = startedAt.toISOString();
      day = { ...day, status: 'sealed', seal: { at, seenAt: at } };
    }
    const start = {
      trigger: event.trigger,
      startedAt,
      ratesFound: false,
      waiting: events.filter(({ kind }) => kind === 'message').length,
    };
    const plan = planRun(day, start, settings);
    const findings = await walkBooks(day, plan, booksAt(event.at));
    if (happens(faults.deathPercent)) {
      // It died before it wrote anything down: its message comes again after the visibility timeout.
      events.push({ ...event, at: event.at + 60_000 });
      return;
    }
    const endedAt = new Date(event.at + random(3000));
    const outcome = conclude(day, findings, { ...start, endedAt, plan, attempt: event.attempt }, settings);
    ({ day } = outcome);
    lastRun = id;
    if (outcome.next !== undefined) {
      const { delaySeconds, attempt } = outcome.next;
      events.push({
        kind: 'run',
        trigger: 'continue',
        after: id,
        attempt,
        at: endedAt.getTime() + delaySeconds * 1000,
      });
    }
  }

  return {
    day: () => day,
    ledger,
    batchSizes,
    staged,
    merchantTotals: () =>
      [...merchantTotals].filter(([key]) => key.startsWith(`${day.revision}#`)).map(([, totals]) => totals),
    ask: (trigger: Trigger, at: number) => events.push({ kind: 'run', trigger, at, attempt: 0 }),
    /** Lets time pass until nothing is left to happen. */
    settleDown: async (limit = 2000) => {
      for (let steps = 0; events.length > 0; steps++) {
        if (steps > limit) throw new Error('the day did not settle down');
        const next = events.reduce((first, event) => (event.at < first.at ? event : first));
        events.splice(events.indexOf(next), 1);
        // The schedule looks at days that have ended and are not balanced.
        if (events.length === 0 && day.status === 'sealed')
          events.push({ kind: 'run', trigger: 'schedule', attempt: 0, at: next.at + 900_000 });
        if (next.kind === 'run') await run(next);
        else {
          const found = staged.find(({ fact }) => fact.factId === next.factId);
          if (found === undefined) throw new Error(`${next.factId} was sent, and never staged`);
          const assessment = { score: found.fact.amount % 100, rules: [] };
          const entry = settle(found.fact, profile(), undefined, assessment, 70);
          if (!ledger.has(next.factId)) ledger.set(next.factId, entry);
        }
      }
    },
  };
}

/** Facts whose ids follow from their place, so that none is there twice. */
const facts = fc
  .array(
    fc.record({
      merchantId: fc.constantFrom('a', 'a-', 'a0', 'b', 'mer_1'),
      kind: fc.constantFrom('sale' as const, 'refund' as const),
      amount: fc.integer({ min: 1, max: 10 ** 12 }),
      stagedBeforeCutOff: fc.integer({ min: 0, max: 10_000_000 }),
      visibleAfter: fc.integer({ min: 0, max: 14_000 }),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map(({ stagedBeforeCutOff, visibleAfter, ...fields }, index): Staged => {
      const stagedAt = CUT_OFF - stagedBeforeCutOff;
      return {
        fact: stagedFact({
          ...fields,
          factId: `t${index}`,
          stagedAt: new Date(stagedAt).toISOString(),
        }),
        visibleAt: stagedAt + visibleAfter,
      };
    }),
  );

const faults = fc.record({
  seed: fc.integer(),
  lossPercent: fc.constantFrom(0, 20, 60),
  duplicatePercent: fc.constantFrom(0, 30),
  deathPercent: fc.constantFrom(0, 20),
});

/** Runs from without: by operators and the schedule, before and after the cut-off. */
const requests = fc.array(
  fc.record({
    trigger: fc.constantFrom<Trigger>('operator', 'schedule'),
    afterCutOff: fc.integer({ min: -3_600_000, max: 3_600_000 }),
  }),
  { maxLength: 5 },
);

function sums(entries: Iterable<LedgerEntry>): Map<string, MerchantTotals> {
  const totals = new Map<string, MerchantTotals>();
  for (const { merchantId, settlementCurrency: currency, status, gross, fee, net } of entries) {
    if (status !== 'settled') continue;
    const before = totals.get(merchantId) ?? { merchantId, currency, count: 0, gross: 0n, fees: 0n, net: 0n };
    totals.set(merchantId, {
      ...before,
      count: before.count + 1,
      gross: before.gross + gross,
      fees: before.fees + fee,
      net: before.net + net,
    });
  }
  return totals;
}

/** Both books agree, and what the day says of them is so. */
function expectBalanced(sim: ReturnType<typeof simulation>): void {
  const day = sim.day();
  expect(day.status).toBe('balanced');
  expect([...sim.ledger.keys()].toSorted()).toEqual(sim.staged.map(({ fact }) => fact.factId).toSorted());
  const signed = sim.staged.map(({ fact: { kind, amount } }) =>
    kind === 'sale' ? BigInt(amount) : -BigInt(amount),
  );
  const entries = [...sim.ledger.values()];
  const of = (status: string) => {
    const chosen = entries.filter((entry) => entry.status === status);
    return { count: chosen.length, amount: chosen.reduce((sum, { amount }) => sum + amount, 0n) };
  };
  const nothing = { count: 0, amount: 0n };
  const staged = { count: signed.length, amount: signed.reduce((sum, amount) => sum + amount, 0n) };
  expect(day.totals).toEqual(
    signed.length === 0
      ? {}
      : { USD: { staged, settled: of('settled'), held: of('held'), reversed: nothing, rejected: nothing } },
  );
  const byMerchant = (a: MerchantTotals, b: MerchantTotals): number => (a.merchantId < b.merchantId ? -1 : 1);
  expect(sim.merchantTotals().toSorted(byMerchant)).toEqual([...sums(entries).values()].toSorted(byMerchant));
  expect(day.breaks.filter(({ kind }) => kind !== 'straggler')).toEqual([]);
}

describe('a day', () => {
  it('balances, and what was staged is settled or held once, whatever happens to its messages', async () => {
    await fc.assert(
      fc.asyncProperty(facts, faults, requests, async (all, eachFault, asked) => {
        const sim = simulation(eachFault);
        sim.staged.push(...all);
        for (const { trigger, afterCutOff } of asked) sim.ask(trigger, CUT_OFF + afterCutOff);
        sim.ask('schedule', CUT_OFF + 3_600_001);
        await sim.settleDown();
        expectBalanced(sim);
        expect(sim.day().revision).toBe(1);
        expect(Math.max(0, ...sim.batchSizes)).toBeLessThanOrEqual(10);
      }),
      { numRuns: 150 },
    );
  });

  it('takes a straggler in: it is reopened, told of, and balances at the next revision', async () => {
    await fc.assert(
      fc.asyncProperty(facts, faults, fc.integer({ min: 1, max: 12 }), async (all, eachFault, count) => {
        const sim = simulation(eachFault);
        sim.staged.push(...all);
        sim.ask('operator', CUT_OFF);
        await sim.settleDown();
        expectBalanced(sim);
        const later = CUT_OFF + 40 * 3_600_000;
        for (let number = 0; number < count; number++) {
          const stagedAt = new Date(CUT_OFF).toISOString();
          sim.staged.push({
            fact: stagedFact({ factId: `late${number}`, stagedAt }),
            visibleAt: later,
          });
        }
        sim.ask('schedule', later);
        await sim.settleDown();
        expectBalanced(sim);
        expect(sim.day().revision).toBe(2);
        expect(sim.day().breaks).toMatchObject([{ kind: 'straggler', count }]);
      }),
      { numRuns: 50 },
    );
  });

  it('with a message that no attempt can settle names it, and does not balance', async () => {
    const sim = simulation({ seed: 1, lossPercent: 100, duplicatePercent: 0, deathPercent: 0 });
    const stagedAt = new Date(CUT_OFF - 60_000).toISOString();
    for (let number = 0; number < 120; number++) {
      sim.staged.push({ fact: stagedFact({ factId: `t${number}`, stagedAt }), visibleAt: CUT_OFF });
    }
    sim.ask('operator', CUT_OFF + 1000);
    await expect(sim.settleDown(10)).rejects.toThrow('did not settle down');
    expect(sim.day().status).toBe('sealed');
    expect(sim.day().breaks).toMatchObject([{ kind: 'unsettled', subject: DATE, count: 120 }]);
    expect(sim.day().breaks[0]?.ids).toHaveLength(100);
    expect(sim.merchantTotals()).toEqual([]);
  });
});

/** Books without terminals, which forget what merchants get. */
function booksOf(facts: readonly StagedFact[], entries: readonly LedgerEntry[]): WalkServices['books'] {
  return {
    staged: { pagesOf: () => stream(facts) },
    ledger: { pagesOf: () => stream(entries) },
    terminalTotals: { pagesOf: () => stream<TerminalReport>([]) },
    merchantTotals: { write: async () => Promise.resolve() },
  };
}

function startAt(trigger: Trigger) {
  return { trigger, startedAt: new Date(CUT_OFF), ratesFound: false };
}

describe('a walk', () => {
  it('fails when a send fails, so that the run comes again', async () => {
    const day = businessDay();
    const many = Array.from({ length: 500 }, (_, index) =>
      stagedFact({ factId: `t${String(index).padStart(3, '0')}` }),
    );
    let atOnce = 0;
    let most = 0;
    const services: WalkServices = {
      books: booksOf(many, []),
      send: async (factIds) => {
        most = Math.max(most, (atOnce += 1));
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        if (factIds.includes('t250')) throw new Error('SQS is down');
      },
      noteSends: async () => Promise.resolve(),
    };
    const plan = planRun(day, startAt('operator'), settings);
    await expect(walkBooks(day, plan, services)).rejects.toThrow('SQS is down');
    expect(most).toBeLessThanOrEqual(8);
  });

  it('that fails while it sends leaves the next one what it had not come to', async () => {
    const day = businessDay();
    const stagedAt = new Date(CUT_OFF - 60_000).toISOString();
    const many = Array.from({ length: 12_000 }, (_, index) =>
      stagedFact({ factId: `t${String(index).padStart(5, '0')}`, stagedAt }),
    );
    const sent: string[] = [];
    let through = '';
    const services = (capacity: number): WalkServices => ({
      books: booksOf(many, []),
      send: async (factIds) => {
        if (sent.length >= capacity) throw new Error('SQS is down');
        sent.push(...factIds);
        return Promise.resolve();
      },
      noteSends: async (key) => {
        // What is noted has been sent.
        expect(sent.map((id) => sortKeyOf({ merchantId: many[0]?.merchantId ?? '', factId: id }))).toContain(
          key,
        );
        through = key;
        return Promise.resolve();
      },
    });
    const start = startAt('operator');
    const plan = planRun(day, start, settings);
    await expect(walkBooks(day, plan, services(11_000))).rejects.toThrow('SQS is down');
    const interrupted = { startedAt: start.startedAt.toISOString(), all: true, through };
    const again = planRun(day, { ...start, interrupted }, settings);
    const findings = await walkBooks(day, again, services(Number.POSITIVE_INFINITY));
    expect(new Set(sent).size).toBe(many.length);
    expect(sent.length).toBeLessThan(many.length + 2000);
    expect(findings.missing.count).toBe(many.length);
  });

  it('names a transaction about which the books differ, and agrees with itself', async () => {
    const facts = ['t1', 't2', 't3'].map((factId) => stagedFact({ factId }));
    const entries = facts.map((fact) => settle(fact, undefined, undefined, { score: 0, rules: [] }, 70));
    const day = businessDay();
    const walk = async (ledger: readonly LedgerEntry[]) =>
      walkBooks(day, planRun(day, startAt('schedule'), settings), {
        books: booksOf(facts, ledger),
        send: async () => Promise.resolve(),
        noteSends: async () => Promise.resolve(),
      });
    const changed = entries.map((entry) =>
      entry.factId === 't2' ? { ...entry, amount: entry.amount + 1n } : entry,
    );
    expect(await walk(entries)).toMatchObject({ mismatched: { count: 0 }, missing: { count: 0 } });
    expect(await walk(changed)).toMatchObject({ mismatched: { count: 1, ids: ['t2'] } });
  });
});
