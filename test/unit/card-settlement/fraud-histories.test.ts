import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAssessor } from '../../../lambda/card-settlement/settle/assess.ts';
import { seenBy, subjectOf } from '../../../lambda/card-settlement/domain/fraud/history.ts';
import { FIRST_EFFECTIVE_DATE } from '../../../lambda/card-settlement/domain/merchant.ts';
import type { StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import { settleBatch } from '../../../lambda/card-settlement/settle/settle-batch.ts';
import { readHistory } from '../../../lambda/card-settlement/settle/read-history.ts';
import { historiesTable, type HistoryRange } from '../../../lambda/card-settlement/store/card-histories.ts';
import { stagedTable } from '../../../lambda/card-settlement/store/staged-transactions.ts';
import { stageConfig } from '../../../lib/config.ts';
import { awsError } from '../../../local/endpoint/index.ts';
import { objectAt, textAt } from '../../../local/template/template.ts';
import { eventually } from '../../eventually.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { tableNames } from '../../../tools/simulate/settlement/environment.ts';
import { createTables } from '../../../tools/simulate/settlement/tables.ts';
import { captureLog } from '../shared/captured-log.ts';
import { fxRates, profile, sqsRecord, stagedFact } from './card-facts.ts';

/**
 * Goal: the histories that the fraud rules read come from the indexes whole, in order, in bounded pages, once per card
 * and terminal, and one that fails does not fail the others. Method: the table with its indexes on a real engine, every
 * query counted at the endpoint. Tests share the table, and keep to cards and terminals of their own.
 */

const settings = stageConfig('production').fraud;
const NOON = Date.parse('2026-03-10T12:00:00Z');
const DAY_MILLISECONDS = 86_400_000;

/** The index and the card or terminal of each query; and which of them fail. */
let queries: string[] = [];
let failing = '';

const engines = await startEngines({
  interceptors: [
    async (call, proceed) => {
      if (call.action !== 'Query') return proceed();
      const partition = textAt(
        objectAt(objectAt(call.request, 'ExpressionAttributeValues'), ':partition'),
        'S',
      );
      queries.push(`${textAt(call.request, 'IndexName')} ${partition}`);
      return partition === failing
        ? awsError('com.amazonaws.dynamodb.v20120810#InternalServerError', 'It failed.', 500)
        : proceed();
    },
  ],
});
await createTables(engines.dynamoDb);

beforeEach(() => {
  queries = [];
  failing = '';
});

afterAll(() => engines.stop());

/** Stages sales, so many seconds after noon UTC each. */
async function stage(facts: readonly Partial<StagedFact>[], secondsApart = 1): Promise<StagedFact[]> {
  const staged = facts.map((changes, number) =>
    stagedFact({
      factId: `${changes.cardToken}-${String(number).padStart(5, '0')}`,
      occurredAt: new Date(NOON + number * secondsApart * 1000).toISOString(),
      ...changes,
    }),
  );
  const table = stagedTable(engines.dynamoDbClient, tableNames.staged);
  for (let from = 0; from < staged.length; from += 50)
    await Promise.all(staged.slice(from, from + 50).map((fact) => table.put(fact)));
  return staged;
}

const services = () => ({
  histories: historiesTable(engines.dynamoDbClient, tableNames.staged),
  ratesOf: async () => Promise.resolve(fxRates()),
});

const assessor = () => createAssessor(services(), settings);

async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

describe('the history of a card', () => {
  it('comes latest first, with all that the rules look at, and without what stands elsewhere', async () => {
    const [first, second, third] = await stage([
      { cardToken: 'tok_a', location: { latitude: 1.5, longitude: -2 } },
      { cardToken: 'tok_a', kind: 'refund', currency: 'JPY', businessDate: '2026-03-11' },
      { cardToken: 'tok_a' },
    ]);
    await stage([{ cardToken: 'tok_other' }]);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('Three were staged.');
    const read = await collect(
      services().histories.ofCard('tok_a', { upTo: subjectOf(third), from: new Date(NOON) }),
    );
    expect(read).toEqual(
      [third, second, first].map(
        ({ factId, occurredAt, businessDate, merchantId, kind, amount, currency, location }) => ({
          factId,
          occurredAt: new Date(occurredAt),
          businessDate,
          merchantId,
          kind,
          amount,
          currency,
          ...(location === undefined ? {} : { location }),
        }),
      ),
    );
    const later = await collect(
      services().histories.ofCard('tok_a', { upTo: subjectOf(second), from: new Date(NOON + 1) }),
    );
    expect(later.map(({ factId }) => factId)).toEqual([second.factId]);
  });

  it('keeps the order of transactions of one instant', async () => {
    const staged = await stage(
      ['c', 'a', 'b'].map((factId) => ({ cardToken: 'tok_same', factId })),
      0,
    );
    const [c] = staged;
    if (c === undefined) throw new Error('Three were staged.');
    const read = await collect(
      services().histories.ofCard('tok_same', { upTo: subjectOf(c), from: new Date(NOON) }),
    );
    expect(read.map(({ factId }) => factId)).toEqual(['c', 'b', 'a']);
  });

  it('is read in one query for all transactions of a batch', async () => {
    const staged = await stage(Array.from({ length: 10 }, () => ({ cardToken: 'tok_batch', amount: 500 })));
    const { assessments } = await assessor()([...staged, ...staged.slice(0, 3)]);
    expect(queries).toEqual(['byCard tok_batch']);
    expect(assessments.get(staged[9]?.factId ?? '')).toMatchObject({
      score: 110,
      rules: [{ rule: 'duplicate' }, { rule: 'velocity', inputs: { earlierUses: 9 } }],
    });
  });

  it('is read to the bound of what is seen, however long it is', async () => {
    const staged = await stage(Array.from({ length: 600 }, () => ({ cardToken: 'tok_busy' })));
    const last = staged.at(-1);
    if (last === undefined) throw new Error('Many were staged.');
    const bounds = { seen: 300, examined: 1200 };
    const window = () => 30 * DAY_MILLISECONDS;
    const pages = (range: HistoryRange) => services().histories.ofCard('tok_busy', range);
    const read = await readHistory([subjectOf(last)], window, pages, bounds);
    expect(seenBy(subjectOf(last), read, window(), bounds).map(({ factId }) => factId)).toEqual(
      staged
        .slice(299, 599)
        .toReversed()
        .map(({ factId }) => factId),
    );
    // Two pages of 250 hold the 300 and the transaction itself; one more was asked for ahead of its time.
    expect(read).toHaveLength(500);
    await eventually(() => queries.length === 3);
  });
});

describe('the small sales at a terminal', () => {
  it('are read once for each terminal, and are sales of at most 2.00', async () => {
    const terminalId = 'till-tested';
    const staged = await stage([
      ...Array.from({ length: 10 }, (_, number) => ({
        cardToken: `tok_try_${number}`,
        terminalId,
        amount: 100 + number,
      })),
      { cardToken: 'tok_large', terminalId, amount: 201 },
      { cardToken: 'tok_back', terminalId, amount: 100, kind: 'refund' as const },
      { cardToken: 'tok_try_10', terminalId, amount: 200 },
    ]);
    const { assessments } = await assessor()(staged);
    expect(queries.toSorted()).toEqual(
      [
        `bySmallAmount gateway-client#${terminalId}`,
        ...staged.map(({ cardToken }) => `byCard ${cardToken}`),
      ].toSorted(),
    );
    const scores = staged.map(({ factId }) => assessments.get(factId)?.score);
    expect(scores).toEqual([...Array.from({ length: 9 }, () => 0), 70, 0, 0, 70]);
    expect(assessments.get(staged.at(-1)?.factId ?? '')?.rules).toEqual([
      { rule: 'card-testing', score: 70, inputs: { terminalId, cards: 11, windowMinutes: 10 } },
    ]);
  });

  it('of another client that calls its terminal alike hold nothing', async () => {
    const tries = Array.from({ length: 9 }, (_, number) => ({
      cardToken: `tok_other_${number}`,
      terminalId: 'till-1',
      amount: 100,
      clientId: 'another-client',
    }));
    const staged = await stage([...tries, { cardToken: 'tok_honest', terminalId: 'till-1', amount: 100 }]);
    const honest = staged.filter(({ clientId }) => clientId === 'gateway-client');
    const { assessments } = await assessor()(honest);
    expect([...assessments.values()].map(({ score }) => score)).toEqual([0]);
  });

  it('are not read for a batch without one', async () => {
    await assessor()(await stage([{ cardToken: 'tok_plain', amount: 201 }]));
    expect(queries).toEqual(['byCard tok_plain']);
  });
});

describe('a history that cannot be read', () => {
  /** A batch of facts that are staged already, settled for real but for the ledger. */
  async function settleAll(facts: readonly StagedFact[]) {
    const settled: string[] = [];
    const { result } = await captureLog(() =>
      settleBatch(
        facts.map(({ factId }) => sqsRecord(factId, JSON.stringify({ factId }))),
        {
          now: () => new Date(NOON),
          staged: {
            getMany: async () => Promise.resolve(new Map(facts.map((fact) => [fact.factId, fact]))),
          },
          ledger: {
            get: async () => Promise.resolve(undefined),
            put: async ({ factId }) => {
              settled.push(factId);
              return Promise.resolve('written');
            },
          },
          merchants: {
            profileOn: async () => Promise.resolve({ ...profile(), effectiveFrom: FIRST_EFFECTIVE_DATE }),
          },
          days: { markRatesMissing: async () => Promise.resolve('marked') },
          ratesOf: services().ratesOf,
          assess: assessor(),
          holdScore: settings.holdScore,
        },
      ),
    );
    return {
      failed: result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).toSorted(),
      settled: settled.toSorted(),
    };
  }

  it('fails the messages of its card, and only those', async () => {
    const facts = await stage(['tok_x', 'tok_y', 'tok_x', 'tok_z'].map((cardToken) => ({ cardToken })));
    failing = 'tok_x';
    const { failed, settled } = await settleAll(facts);
    expect(failed).toEqual(['tok_x-00000', 'tok_x-00002']);
    expect(settled).toEqual(['tok_y-00001', 'tok_z-00003']);
    failing = '';
    expect((await settleAll(facts)).settled).toHaveLength(4);
  });

  it('fails the small sales of its terminal, and only those', async () => {
    const terminalId = 'till-out';
    const facts = await stage([
      { cardToken: 'tok_p', terminalId, amount: 100 },
      { cardToken: 'tok_q', terminalId, amount: 5000 },
      { cardToken: 'tok_r', terminalId: 'till-on', amount: 100 },
    ]);
    failing = `gateway-client#${terminalId}`;
    expect(await settleAll(facts)).toEqual({
      failed: ['tok_p-00000'],
      settled: ['tok_q-00001', 'tok_r-00002'],
    });
  });
});

describe('the rates of a date', () => {
  it('that cannot be read fail what has to be compared, and nothing else', async () => {
    const [euro, dollars] = await stage([
      { cardToken: 'tok_euro', currency: 'EUR', occurredAt: '2026-03-10T23:00:00Z' },
      { cardToken: 'tok_dollar', occurredAt: '2026-03-10T23:00:00Z' },
    ]);
    if (euro === undefined || dollars === undefined) throw new Error('Two were staged.');
    const asked: unknown[] = [];
    const assess = createAssessor(
      {
        ...services(),
        ratesOf: async (...request) => {
          asked.push(request);
          return Promise.reject(new Error('throttled'));
        },
      },
      settings,
    );
    const { assessments, failures } = await assess([euro, dollars]);
    expect([...assessments.keys()]).toEqual([dollars.factId]);
    expect([...failures.keys()]).toEqual([euro.factId]);
    expect(asked).toEqual([['2026-03-10', ['USD', 'EUR']]]);
  });
});
