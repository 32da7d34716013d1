import { describe, expect, it } from '@jest/globals';
import type { FxRates } from '../../../lambda/card-settlement/domain/fx.ts';
import {
  FIRST_EFFECTIVE_DATE,
  type MerchantProfile,
} from '../../../lambda/card-settlement/domain/merchant.ts';
import type { LedgerEntry, StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import { settleBatch } from '../../../lambda/card-settlement/settle/settle-batch.ts';
import { createRateCache } from '../../../lambda/card-settlement/settle/rate-cache.ts';
import { captureLog } from '../shared/captured-log.ts';
import { fxRates, profile, sqsRecord, stagedFact } from './card-facts.ts';

type Services = Parameters<typeof settleBatch>[1];

const SETTLED_AT = new Date('2026-03-10T22:00:00.000Z');

/** A profile as the table has it. */
function standing(changes: Partial<MerchantProfile> = {}) {
  return { ...profile(changes), effectiveFrom: FIRST_EFFECTIVE_DATE };
}

/** A ledger that takes every entry but one. */
const refusing: Services['ledger'] = {
  get: async () => Promise.resolve(undefined),
  put: async ({ factId }) =>
    factId === 't1' ? Promise.reject(new Error('throttled')) : Promise.resolve('written'),
};

/** Settlement before tables in memory: of facts t0, t1 …, and a ledger that takes the first entry. */
function settlement(facts: readonly StagedFact[], changes: Partial<Services> = {}) {
  const ledger = new Map<string, LedgerEntry>();
  const asked: (readonly string[])[] = [];
  const marked: unknown[] = [];
  const services: Services = {
    now: () => SETTLED_AT,
    staged: {
      getMany: async (ids) => {
        asked.push(ids);
        return Promise.resolve(
          new Map(facts.filter(({ factId }) => ids.includes(factId)).map((each) => [each.factId, each])),
        );
      },
    },
    merchants: { profileOn: async () => Promise.resolve(standing()) },
    ratesOf: async () => Promise.resolve(fxRates()),
    days: {
      markRatesMissing: async (businessDate, currencies) => {
        marked.push({ businessDate, currencies });
        return Promise.resolve('marked');
      },
    },
    assess: async (sales) =>
      Promise.resolve({
        assessments: new Map(sales.map(({ factId }) => [factId, { score: 0, rules: [] }])),
        failures: new Map(),
      }),
    holdScore: 70,
    ledger: {
      get: async ({ factId }) => {
        const entry = ledger.get(factId);
        return Promise.resolve(entry && { ...entry, settledAt: SETTLED_AT.toISOString() });
      },
      put: async (entry) => {
        if (ledger.has(entry.factId)) return Promise.resolve('exists');
        ledger.set(entry.factId, entry);
        return Promise.resolve('written');
      },
    },
    ...changes,
  };
  const run = async (...bodies: readonly string[]) => {
    const records = bodies.map((body, index) => sqsRecord(`m${index}`, body));
    const { result, lines } = await captureLog(() => settleBatch(records, services));
    return {
      failed: result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
      summary: lines.find((line) => JSON.stringify(line).includes('"batch settled"')),
    };
  };
  return { ledger, asked, marked, run };
}

function fact(number: number, changes: Partial<StagedFact> = {}): StagedFact {
  return stagedFact({ factId: `t${number}`, ...changes });
}

const message = (number: number): string => JSON.stringify({ factId: `t${number}` });

describe('a batch', () => {
  it('settles each fact it names, and reads them in one request', async () => {
    const facts = Array.from({ length: 10 }, (_, number) => fact(number));
    const { run, ledger, asked } = settlement(facts);
    const { failed, summary } = await run(...facts.map((_, number) => message(number)));
    expect(failed).toEqual([]);
    expect([...ledger.keys()].toSorted()).toEqual(facts.map(({ factId }) => factId));
    expect(asked).toHaveLength(1);
    expect(summary).toMatchObject({ count: 10, settled: 10, failed: 0 });
  });

  it('reads the profile of each merchant on each date once, and anew for the next batch', async () => {
    const read: string[] = [];
    const facts = [
      ...['m1', 'm1', 'm2', 'm1'].map((merchantId, number) => fact(number, { merchantId })),
      fact(4, { merchantId: 'm1', businessDate: '2026-03-11' }),
    ];
    const { run, ledger } = settlement(facts, {
      merchants: {
        profileOn: async (merchantId, businessDate) => {
          read.push(`${merchantId} ${businessDate}`);
          return Promise.resolve(standing());
        },
      },
    });
    await run(...facts.map((_, number) => message(number)));
    expect(ledger.size).toBe(5);
    expect(read.toSorted()).toEqual(['m1 2026-03-10', 'm1 2026-03-11', 'm2 2026-03-10']);
    await run(message(0));
    expect(read).toHaveLength(4);
  });

  it('tells what became of each fact, and which request brought it', async () => {
    const { run } = settlement([fact(0, { requestId: 'request-0' }), fact(1, { requestId: 'request-1' })], {
      ledger: refusing,
    });
    const { summary } = await run(message(0), message(1));
    expect(summary).toMatchObject({
      facts: [
        { factId: 't0', requestId: 'request-0', outcome: 'settled' },
        { factId: 't1', requestId: 'request-1', outcome: 'failed' },
      ],
    });
  });

  it('writes down in each entry which request brought its fact', async () => {
    const { run, ledger } = settlement([fact(0, { requestId: 'request-0' })]);
    await run(message(0));
    expect(ledger.get('t0')).toMatchObject({ requestId: 'request-0' });
  });

  it('settles a fact once that it names three times', async () => {
    const { run, ledger, asked } = settlement([fact(1)]);
    const { failed, summary } = await run(message(1), message(1), message(1));
    expect(failed).toEqual([]);
    expect(ledger.size).toBe(1);
    expect(asked).toEqual([['t1']]);
    expect(summary).toMatchObject({ settled: 1, known: 2 });
  });

  it('does nothing more when it comes again', async () => {
    const { run, ledger } = settlement([fact(1)]);
    await run(message(1));
    const before = ledger.get('t1');
    expect((await run(message(1))).failed).toEqual([]);
    expect(ledger.get('t1')).toBe(before);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '"t1"'],
    ['no fact’s id', '{"factId":"../t1"}'],
    ['more than a fact’s id', '{"factId":"t1","amount":1}'],
    ['a fact that was never staged', '{"factId":"t404"}'],
    ['nothing', ''],
  ])('fails the message that is %s, and settles its mates', async (_, poison) => {
    const { run, ledger } = settlement([fact(0), fact(2)]);
    const { failed } = await run(message(0), poison, message(2));
    expect(failed).toEqual(['m1']);
    expect([...ledger.keys()].toSorted()).toEqual(['t0', 't2']);
  });

  it('fails only the fact whose entry could not be written', async () => {
    const { run, ledger } = settlement([fact(0), fact(1)], {
      ledger: refusing,
    });
    const { failed, summary } = await run(message(0), message(1));
    expect(failed).toEqual(['m1']);
    expect(summary).toMatchObject({ settled: 1, failed: 1 });
    expect(ledger.size).toBe(0);
  });

  it('fails as a whole, to come again, when the facts cannot be read', async () => {
    const { run } = settlement([fact(0)], {
      staged: { getMany: async () => Promise.reject(new Error('throttled')) },
    });
    await expect(run(message(0))).rejects.toThrow('throttled');
  });

  it('of poison alone reads nothing', async () => {
    const { run, asked } = settlement([]);
    expect((await run('{', '[]')).failed).toEqual(['m0', 'm1']);
    expect(asked.flat()).toEqual([]);
  });
});

describe('a fact whose rates are missing', () => {
  const inEuro = {
    merchants: { profileOn: async () => Promise.resolve(standing({ settlementCurrency: 'EUR' })) },
  };

  it('blocks its day, is no failure, and is not in the ledger', async () => {
    const { run, ledger, marked } = settlement([fact(0)], {
      ...inEuro,
      ratesOf: async () => Promise.resolve(undefined),
    });
    const { failed, summary } = await run(message(0));
    expect(failed).toEqual([]);
    expect(ledger.size).toBe(0);
    expect(marked).toEqual([{ businessDate: '2026-03-10', currencies: ['USD', 'EUR'] }]);
    expect(summary).toMatchObject({ blocked: 1, settled: 0 });
  });

  it('does not keep from settling what needs no rate', async () => {
    const { run, ledger } = settlement([fact(0), fact(1, { currency: 'EUR' })], {
      ...inEuro,
      ratesOf: async () => Promise.resolve(undefined),
    });
    await run(message(0), message(1));
    expect([...ledger.keys()]).toEqual(['t1']);
  });

  it('comes again if its day cannot be marked', async () => {
    const { run } = settlement([fact(0)], {
      ...inEuro,
      ratesOf: async () => Promise.resolve(undefined),
      days: { markRatesMissing: async () => Promise.reject(new Error('throttled')) },
    });
    expect((await run(message(0))).failed).toEqual(['m0']);
  });

  it('is none of the days that convert nothing: their rates are not even asked for', async () => {
    const { run, ledger } = settlement([fact(0)], {
      ratesOf: async () => Promise.reject(new Error('was asked')),
    });
    expect((await run(message(0))).failed).toEqual([]);
    expect(ledger.size).toBe(1);
  });
});

function cache(answers: readonly (FxRates | undefined | Error)[]) {
  let reads = 0;
  const ratesOf = createRateCache(async () => {
    const answer = answers[Math.min(reads++, answers.length - 1)];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { ratesOf, reads: () => reads };
}

describe('the rates of a date', () => {
  it('are read once', async () => {
    const { ratesOf, reads } = cache([fxRates()]);
    await ratesOf('2026-03-10', ['USD', 'EUR']);
    await Promise.all([ratesOf('2026-03-10', ['EUR']), ratesOf('2026-03-10', ['JPY', 'USD'])]);
    expect(reads()).toBe(1);
    await ratesOf('2026-03-11', ['EUR']);
    expect(reads()).toBe(2);
  });

  it('are asked for again while there are none, or they lack a currency', async () => {
    const { ratesOf } = cache([undefined, fxRates(), fxRates({ rates: { EUR: '0.9', GBP: '0.8' } })]);
    expect(await ratesOf('2026-03-10', ['EUR'])).toBeUndefined();
    expect(await ratesOf('2026-03-10', ['EUR'])).toEqual(fxRates());
    expect((await ratesOf('2026-03-10', ['GBP']))?.rates).toHaveProperty('GBP');
  });

  it('that could not be read are nobody’s but the caller’s', async () => {
    const { ratesOf } = cache([new Error('throttled'), fxRates()]);
    await expect(ratesOf('2026-03-10', ['EUR'])).rejects.toThrow('throttled');
    expect(await ratesOf('2026-03-10', ['EUR'])).toEqual(fxRates());
  });
});
