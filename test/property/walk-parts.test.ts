import { tableNames } from '../../tools/simulate/settlement/environment.ts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RunPlan } from '../../lambda/card-settlement/domain/run-plan.ts';
import { sortKeyOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import { settle, type StagedFact } from '../../lambda/card-settlement/domain/settlement.ts';
import {
  createTerminalComparison,
  type TerminalReport,
} from '../../lambda/card-settlement/domain/terminal-totals.ts';
import type { MerchantTotals } from '../../lambda/card-settlement/domain/totals.ts';
import { findingsOf, walk, type WalkServices } from '../../lambda/card-settlement/reconcile/walk.ts';
import type { WalkState } from '../../lambda/card-settlement/domain/walk-state.ts';
import { walksTable } from '../../lambda/card-settlement/store/walks.ts';
import { businessDay, profile, stagedFact } from '../unit/card-settlement/card-facts.ts';
import { createTables } from '../../tools/simulate/settlement/tables.ts';
import { simulatedAws } from '../../tools/simulate/aws.ts';

/**
 * Goal: a walk that is cut and goes on elsewhere finds and does what it would have in one go. Method: a day with all that
 * a walk can find is walked whole, and then cut at each place, and at all of them; what is kept between two parts goes
 * through the table. A part that dies is walked again from where the one before it ended.
 */

const DATE = '2026-03-10';
const day = businessDay({ revision: 3 });
const aws = simulatedAws(
  () => 0,
  () => undefined,
  () => 0,
);

const walks = walksTable(aws.client, tableNames.businessDays);

await createTables(aws);

interface Line {
  readonly merchantId: string;
  readonly terminalId: string;
  readonly kind: 'sale' | 'refund';
  readonly currency: string;
  readonly amount: number;
  readonly fate: 'settled' | 'held' | 'missing' | 'unstaged' | 'mismatched';
}

const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.record({
    merchantId: fc.constantFrom('a', 'b', 'c'),
    terminalId: fc.constantFrom('till-1', 'till-2', 'till-3'),
    kind: fc.constantFrom('sale' as const, 'refund' as const),
    currency: fc.constantFrom('USD', 'EUR'),
    amount: fc.integer({ min: 1, max: 10 ** 12 }),
    fate: fc.constantFrom(
      'settled' as const,
      'settled' as const,
      'settled' as const,
      'held' as const,
      'missing' as const,
      'unstaged' as const,
      'mismatched' as const,
    ),
  }),
  { maxLength: 14 },
);
const reports: fc.Arbitrary<TerminalReport[]> = fc.uniqueArray(
  fc.record({
    clientId: fc.constantFrom('gateway-client', 'other'),
    terminalId: fc.constantFrom('till-1', 'till-2', 'till-9'),
    totals: fc.uniqueArray(
      fc.record({
        type: fc.constantFrom('sale' as const, 'refund' as const),
        currency: fc.constantFrom('USD', 'JPY'),
        count: fc.nat({ max: 3 }),
        amount: fc.bigInt({ min: 0n, max: 2n ** 53n }),
      }),
      { maxLength: 3, selector: ({ type, currency }) => type + currency },
    ),
  }),
  { maxLength: 4, selector: ({ clientId, terminalId }) => clientId + terminalId },
);
const plans: fc.Arbitrary<RunPlan> = fc.record({
  sends: fc.constantFrom({ all: true }, { all: false, sentBefore: '2026-03-10T12:00:00.000Z' }),
  mayBalance: fc.boolean(),
  overdueBefore: fc.constantFrom('2026', '2027'),
});

async function* single<T>(items: readonly T[]): AsyncGenerator<readonly T[], void, undefined> {
  for (const item of items) yield await Promise.resolve([item]);
}

/** The books of some lines, each in a page of its own, and all that a walk does. */
function booksOf(all: readonly Line[], reported: readonly TerminalReport[]) {
  const facts = all.map(({ fate, ...fields }, index) => ({
    fate,
    fact: stagedFact({
      ...fields,
      factId: `t${index}`,
      stagedAt: `2026-03-10T1${index % 4}:00:00.000Z`,
    }),
  }));
  const after = <T extends Pick<StagedFact, 'merchantId' | 'factId'>>(items: readonly T[], from = '') =>
    single(
      items
        .filter((item) => sortKeyOf(item) > from)
        .toSorted((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1)),
    );
  const staged = facts.filter(({ fate }) => fate !== 'unstaged').map(({ fact }) => fact);
  const entries = facts
    .filter(({ fate }) => fate !== 'missing')
    .map(({ fact, fate }) => {
      const rates = { base: 'USD', source: 'x', rateDate: DATE, rates: { EUR: '0.9' } };
      const score = fate === 'held' ? 70 : 0;
      const entry = settle(fact, profile(), rates, { score, rules: [] }, 70);
      return fate === 'mismatched' ? { ...entry, amount: entry.amount + 1n } : entry;
    });
  const sent: string[] = [];
  const totals = new Map<string, MerchantTotals>();
  const services: WalkServices = {
    books: {
      staged: { pagesOf: (_, from) => after(staged, from) },
      ledger: { pagesOf: (_, from) => after(entries, from) },
      terminalTotals: { pagesOf: () => single(reported) },
      merchantTotals: {
        write: async (_, written) => {
          for (const each of written) totals.set(`${each.merchantId}#${each.currency}`, each);
          return Promise.resolve();
        },
      },
    },
    send: async (ids) => {
      sent.push(...ids);
      return Promise.resolve();
    },
    noteSends: async () => Promise.resolve(),
  };
  return { services, sent, totals };
}

/** @param cutAfter whether a walk is cut after its so many-th page @param dies whether a part is lost, and walked again */
async function walkInParts(
  input: readonly [Line[], TerminalReport[], RunPlan],
  cutAfter: (page: number) => boolean,
  dies: (part: number) => boolean = () => false,
) {
  const [all, reported, plan] = input;
  const { services, sent, totals } = booksOf(all, reported);
  const run = { id: 'run-1', day, plan };
  let state: WalkState | undefined;
  let [page, part] = [0, 0];
  while (state?.phase !== 'done') {
    const walked: WalkState = await walk(run, state, services, () => cutAfter((page += 1)));
    part += 1;
    if (part > 200) throw new Error('The walk does not end.');
    if (dies(part)) continue;
    const saved = { run: run.id, part, startedAt: DATE, attempt: 0, plan, state: walked };
    await walks.save(DATE, saved);
    const loaded = await walks.load(DATE, run.id);
    expect(loaded).toEqual(saved);
    ({ state } = loaded);
  }
  return {
    findings: findingsOf(state),
    sent: sent.toSorted(),
    totals: [...totals],
    pages: page,
    parts: part,
  };
}

function terminalsOf(all: readonly Line[], reported: readonly TerminalReport[]) {
  const comparison = createTerminalComparison(reported);
  for (const { fate, ...fields } of all) if (fate !== 'unstaged') comparison.add(stagedFact(fields));
  const named = comparison.mismatches();
  return { count: named.length, named };
}

describe('a walk in parts', () => {
  it('finds and does the same as one in a single go, wherever it is cut', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(lines, reports, plans, async (...input) => {
        const { pages, parts: _, ...whole } = await walkInParts(input, () => false);
        seen.add(whole.findings.terminals.count);
        expect(whole.findings.terminals).toEqual(terminalsOf(input[0], input[1]));
        for (let cut = 1; cut <= pages; cut++) {
          const { pages: _pages, parts, ...rest } = await walkInParts(input, (page) => page === cut);
          expect({ cut, ...rest }).toEqual({ cut, ...whole });
          expect(parts).toBeLessThanOrEqual(2);
        }
        const { pages: _pages, parts: _parts, ...everywhere } = await walkInParts(input, () => true);
        expect(everywhere).toEqual(whole);
      }),
      { numRuns: 25, seed: 20_260_310 },
    );
    expect(seen.size).toBeGreaterThan(2);
  });

  it('does so when parts die and are walked again; all that is lost is a second message', async () => {
    await fc.assert(
      fc.asyncProperty(
        lines,
        reports,
        plans,
        fc.integer({ min: 1, max: 5 }),
        async (all, reported, plan, dead) => {
          const input = [all, reported, plan] as const;
          const whole = await walkInParts(input, () => false);
          const cut = await walkInParts(
            input,
            (page) => page % 3 === 0,
            (part) => part === dead || part === dead + 1,
          );
          expect(cut.findings.missing).toEqual(whole.findings.missing);
          expect({ ...cut.findings, sent: 0 }).toEqual({ ...whole.findings, sent: 0 });
          expect(cut.totals).toEqual(whole.totals);
          expect([...new Set(cut.sent)]).toEqual(whole.sent);
        },
      ),
      { numRuns: 60, seed: 20_260_311 },
    );
  });
});
