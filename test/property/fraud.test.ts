import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createAssessor } from '../../lambda/card-settlement/settle/assess.ts';
import { addDays } from '../../lambda/card-settlement/domain/business-date.ts';
import { isBefore, seenBy, subjectOf } from '../../lambda/card-settlement/domain/fraud/history.ts';
import { isSmallSale } from '../../lambda/card-settlement/domain/fraud/small-amount.ts';
import { terminalKeyOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import type { Assessment, StagedFact } from '../../lambda/card-settlement/domain/settlement.ts';
import { readHistory } from '../../lambda/card-settlement/settle/read-history.ts';
import { stageConfig } from '../../lib/config.ts';
import { fxRates, stagedFact } from '../unit/card-settlement/card-facts.ts';
import { historiesOf } from '../unit/card-settlement/card-history.ts';

/**
 * Goal: the verdict on a transaction depends on what came before it, and on nothing else: not on the order of
 * deliveries, on batches, on repetition, or on what came later. Method: crowded days of few cards and terminals, in which
 * most rules fire, assessed in one way and in another.
 */

const settings = stageConfig('production').fraud;
const DATE = '2026-03-10';
const SEED = 20_260_310;

/** A transaction of one of few cards and terminals, in one of few seconds, perhaps rolled to a later business date. */
const arbitraryFact = fc
  .record({
    second: fc.oneof({ weight: 3, arbitrary: fc.nat(600) }, { weight: 1, arbitrary: fc.nat(100_000) }),
    kind: fc.constantFrom('sale', 'sale', 'sale', 'refund'),
    card: fc.nat(1),
    cardOfMany: fc.option(fc.nat(40), { freq: 2 }),
    terminal: fc.constantFrom(0, 0, 0, 1),
    amount: fc.constantFrom(100, 110, 120, 130, 140, 150, 200, 201, 900_000),
    currency: fc.constantFrom('USD', 'USD', 'USD', 'EUR', 'GBP', 'JPY'),
    longitude: fc.option(fc.constantFrom(0, 5, 90)),
    rolledDays: fc.constantFrom(0, 0, 0, 0, 1, 2),
  })
  .map(({ second, kind, card, cardOfMany, terminal, amount, currency, longitude, rolledDays }) => {
    const occurredAt = new Date(Date.parse('2026-03-09T22:00:00Z') + second * 1000);
    return {
      occurredAt: occurredAt.toISOString(),
      kind,
      cardToken: cardOfMany === null ? `tok_${card}` : `tok_of_many_${cardOfMany}`,
      merchantId: `mer_${terminal}`,
      terminalId: `till-${terminal}`,
      amount,
      currency,
      businessDate: addDays(DATE, rolledDays),
      ...(longitude === null ? {} : { location: { latitude: 10, longitude } }),
    };
  });

const arbitraryFacts = fc
  .array(arbitraryFact, { minLength: 1, maxLength: 90, size: 'max' })
  .map((facts) => facts.map((fact, number) => stagedFact({ ...fact, factId: `t${number}` })));

/** Rates that lack a currency, and a day that has none at all. */
const arbitraryRates = fc.constantFrom(fxRates(), undefined);

async function assessAll(
  universe: readonly StagedFact[],
  batches: readonly (readonly StagedFact[])[],
  rates: ReturnType<typeof fxRates> | undefined,
): Promise<ReadonlyMap<string, Assessment>> {
  const verdicts = new Map<string, Assessment>();
  for (const batch of batches) {
    const { histories } = historiesOf(() => universe);
    const services = { histories, ratesOf: async () => Promise.resolve(rates) };
    const { assessments, failures } = await createAssessor(services, settings)(batch);
    if (failures.size > 0) throw new Error(`${[...failures.keys()].join(', ')} failed.`);
    for (const [factId, assessment] of assessments) {
      // The first verdict is the one that the ledger keeps; the next must not differ.
      const first = verdicts.get(factId);
      if (first === undefined) verdicts.set(factId, assessment);
      else expect(assessment).toEqual(first);
    }
  }
  return verdicts;
}

const oneByOne = (facts: readonly StagedFact[]) => facts.map((fact) => [fact]);

describe('the verdict on a transaction', () => {
  it('is the same in every order, in every split into batches, and when it comes again', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryFacts.chain((facts) =>
          fc.tuple(
            fc.constant(facts),
            // Deliveries: all of them at least once, some more often, in any order, in batches of up to ten.
            fc
              .tuple(fc.shuffledSubarray(facts, { minLength: facts.length }), fc.subarray(facts))
              .chain(([all, again]) => {
                const deliveries = [...all, ...again];
                return fc.shuffledSubarray(deliveries, { minLength: deliveries.length });
              }),
            fc.integer({ min: 1, max: 10 }),
          ),
        ),
        arbitraryRates,
        async ([facts, deliveries, batchSize], rates) => {
          const batches = Array.from({ length: Math.ceil(deliveries.length / batchSize) }, (_, batch) =>
            deliveries.slice(batch * batchSize, (batch + 1) * batchSize),
          );
          const verdicts = await assessAll(facts, batches, rates);
          expect(verdicts).toEqual(await assessAll(facts, oneByOne(facts), rates));
          expect(verdicts.size).toBe(facts.length);
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('is the same whatever came later, or was rolled to a later date', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFacts, arbitraryRates, async (facts, rates) => {
        const sealed = facts.filter(({ businessDate }) => businessDate === DATE);
        const whole = await assessAll(facts, oneByOne(sealed), rates);
        expect(await assessAll(sealed, oneByOne(sealed), rates)).toEqual(whole);
        for (const fact of sealed.slice(0, 10)) {
          const past = facts.filter((each) => each === fact || isBefore(subjectOf(each), subjectOf(fact)));
          const alone = await assessAll(past, [[fact]], rates);
          expect(alone.get(fact.factId)).toEqual(whole.get(fact.factId));
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('of two duplicates holds the later one only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(300), fc.boolean(), async (seconds, swapped) => {
        const first = stagedFact({ factId: 'a', occurredAt: '2026-03-10T16:00:00.000Z' });
        const later = new Date(Date.parse(first.occurredAt) + seconds * 1000).toISOString();
        const second = stagedFact({ factId: 'b', occurredAt: later });
        const batch = swapped ? [second, first] : [first, second];
        const verdicts = await assessAll(batch, [batch], undefined);
        expect([verdicts.get('a')?.score, verdicts.get('b')?.score]).toEqual([0, settings.duplicate.score]);
      }),
      { seed: SEED, numRuns: 30 },
    );
  });

  it('is the same beside one for which rates were asked', async () => {
    const spike = [1, 2, 3, 4, 5, 6].map((number) =>
      stagedFact({
        factId: `euro-${number}`,
        cardToken: 'tok_euro',
        currency: 'EUR',
        amount: number === 6 ? 90_000 : 1000,
        occurredAt: `2026-03-10T${String(number).padStart(2, '0')}:00:00+00:00`,
      }),
    );
    const atNight = stagedFact({
      factId: 'night',
      cardToken: 'tok_night',
      currency: 'EUR',
      occurredAt: '2026-03-10T23:00:00+09:00',
    });
    const mixed = await assessAll([...spike, atNight], [[...spike.slice(5), atNight]], fxRates());
    expect(mixed.get('euro-6')).toMatchObject({ rules: [{ rule: 'amount-spike' }, { rule: 'velocity' }] });
    const alone = await assessAll([...spike, atNight], [spike.slice(5)], fxRates());
    expect(mixed.get('euro-6')).toEqual(alone.get('euro-6'));
  });

  it('meets every rule somewhere in these days: what is compared is not always nothing', async () => {
    const fired = new Set<string>();
    const sample = fc.sample(arbitraryFacts, { seed: SEED, numRuns: 200 });
    for (const facts of sample) {
      for (const { rules } of (await assessAll(facts, [facts], fxRates())).values()) {
        for (const { rule } of rules) fired.add(rule);
      }
    }
    expect([...fired].toSorted()).toEqual([
      'amount-spike',
      'burst',
      'card-testing',
      'duplicate',
      'impossible-travel',
      'night-large',
      'velocity',
    ]);
  });
});

describe('the histories of a batch', () => {
  it('are read once for each card, and once for each terminal with a small sale', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryFacts, async (facts) => {
        const { histories, queries } = historiesOf(() => facts, 100);
        const services = { histories, ratesOf: async () => Promise.resolve(fxRates()) };
        await createAssessor(services, settings)([...facts, ...facts]);
        const cards = new Set(facts.map(({ cardToken }) => `card ${cardToken}`));
        const terminals = new Set(facts.filter(isSmallSale).map((fact) => `terminal ${terminalKeyOf(fact)}`));
        expect(queries.toSorted()).toEqual([...cards, ...terminals].toSorted());
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('hold all that each transaction sees, however the bounds fall between pages and transactions', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryFacts,
        fc.nat(100),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 4 }),
        async (facts, every, pageItems, seen, more) => {
          const bounds = { seen, examined: seen + more };
          const ofCard = facts.map((fact) => ({ ...fact, cardToken: 'tok_1' }));
          const subjects = ofCard.filter((_, number) => number % (1 + (every % 7)) === 0).map(subjectOf);
          const windowOf = ({ kind }: { readonly kind: string }) => (kind === 'sale' ? 30_000_000 : 300_000);
          const { histories, queries } = historiesOf(() => ofCard, pageItems);
          const past = await readHistory(
            subjects,
            windowOf,
            (range) => histories.ofCard('tok_1', range),
            bounds,
          );
          const whole = ofCard.map(subjectOf).toSorted((one, other) => (isBefore(one, other) ? 1 : -1));
          for (const subject of subjects) {
            const idsOf = (all: typeof past) =>
              seenBy(subject, all, windowOf(subject), bounds).map(({ factId }) => factId);
            expect(idsOf(past)).toEqual(idsOf(whole));
          }
          expect(queries.length).toBeLessThanOrEqual(subjects.length);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('are bounded: a card with any number of uses costs no more than its latest ones', async () => {
    const uses = Array.from({ length: 5000 }, (_, number) =>
      stagedFact({
        factId: `t${number}`,
        occurredAt: new Date(Date.parse('2026-03-10T12:00:00Z') + number * 1000).toISOString(),
      }),
    );
    const { histories } = historiesOf(() => uses, 250);
    const [first, last] = [uses[1500], uses.at(-1)];
    if (first === undefined || last === undefined) throw new Error('There are 5,000 uses.');
    const past = await readHistory(
      [first, last].map(subjectOf),
      () => 30 * 86_400_000,
      (range) => histories.ofCard('tok', range),
    );
    expect(past.length).toBe(0);
    const read = await readHistory(
      [first, last].map(subjectOf),
      () => 30 * 86_400_000,
      (range) => histories.ofCard(last.cardToken, range),
    );
    expect(read.length).toBe(2500);
  });
});
