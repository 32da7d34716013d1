import { describe, expect, it } from '@jest/globals';
import { addDays, type BusinessDate } from '../../../lambda/card-settlement/domain/business-date.ts';
import type { BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import { isReview } from '../../../lambda/card-settlement/domain/decision.ts';
import type { StagedFact } from '../../../lambda/card-settlement/domain/settlement.ts';
import { createDayFinder } from '../../../lambda/card-settlement/intake/find-unsealed-date.ts';
import { acceptTransaction } from '../../../lambda/card-settlement/intake/handler.ts';
import type { IntakeServices } from '../../../lambda/card-settlement/intake/stage-transaction.ts';
import type { HttpResponse } from '../../../lambda/shared/http.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { captureLog } from '../shared/captured-log.ts';
import { businessDay, httpRequest, sale, sealedDay } from './card-facts.ts';

const mayBegin = async (): Promise<boolean> => Promise.resolve(true);

/** Intake before tables in memory: facts are written once, days are begun once. */
function intake(changes: Partial<IntakeServices> = {}) {
  const facts = new Map<string, StagedFact>();
  const services: IntakeServices = {
    calendar: { timeZone: 'America/New_York', cutOff: '17:00' },
    now: () => new Date('2026-03-10T16:05:00.000Z'),
    unsealedDateFrom: async (date) => Promise.resolve(date),
    staged: {
      put: async (fact) => {
        if (facts.has(fact.factId)) return Promise.resolve('exists');
        if (!isReview(fact)) facts.set(fact.factId, fact);
        return Promise.resolve('written');
      },
      get: async (id) => Promise.resolve(facts.get(id)),
      getDecision: async (id) => Promise.resolve(facts.get(id)),
    },
    days: { read: async () => Promise.resolve(businessDay()) },
    ...changes,
  };
  const post = async (
    body: unknown,
    { key = 'key-1', clientId = 'gateway-client', at = services.now() } = {},
  ): Promise<HttpResponse> => {
    const { result } = await captureLog(() =>
      acceptTransaction(
        httpRequest({
          headers: { 'idempotency-key': key },
          caller: { clientId, scopes: [] },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
        { ...services, now: () => at },
      ),
    );
    return result;
  };
  return { facts, post };
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Problem) return error;
  throw new Error(`It was no problem: ${String(error)}`);
}

describe('a transaction', () => {
  it('is staged with its client, date, instant and digest', async () => {
    const { facts, post } = intake();
    const response = await post(sale());
    const [fact] = facts.values();
    const { type: kind, ...rest } = sale();
    expect(fact).toEqual({
      ...rest,
      kind,
      factId: expect.stringMatching(/^[0-9a-f]{32}$/),
      clientId: 'gateway-client',
      requestId: 'request-1',
      businessDate: '2026-03-10',
      stagedAt: '2026-03-10T16:05:00.000Z',
      bodyDigest: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(response).toEqual({
      status: 201,
      headers: { location: `/transactions/${fact?.factId}` },
      body: { transactionId: fact?.factId, businessDate: '2026-03-10', status: 'staged' },
    });
  });

  it('is staged once: the same key and body, in whatever order, finds it', async () => {
    const { facts, post } = intake();
    const first = await post(sale());
    const again = await post(Object.fromEntries(Object.entries(sale()).toReversed()));
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(again.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    expect(facts.size).toBe(1);
  });

  it('is staged once when twenty requests come at once', async () => {
    const { facts, post } = intake();
    const statuses = (await Promise.all(Array.from({ length: 20 }, async () => post(sale())))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(19);
    expect(facts.size).toBe(1);
  });

  it('keeps its date when its retry comes after the day was sealed', async () => {
    let open = '2026-03-10';
    const { post } = intake({ unsealedDateFrom: async () => Promise.resolve(open) });
    await post(sale());
    open = '2026-03-11';
    expect((await post(sale())).body).toMatchObject({ businessDate: '2026-03-10' });
  });

  it('is another one with another key, client or merchant', async () => {
    const { facts, post } = intake();
    await post(sale());
    await post(sale(), { key: 'key-2' });
    await post(sale(), { clientId: 'another-client' });
    await post(sale({ merchantId: 'another' }));
    expect(facts.size).toBe(4);
  });

  it('is refused where its key was used for another', async () => {
    const { facts, post } = intake();
    await post(sale());
    expect(await problemOf(post(sale({ amount: 498 })))).toMatchObject({
      status: 422,
      slug: 'idempotency-key-reused',
    });
    expect(facts.size).toBe(1);
  });

  it('that is known, or refused for its key, begins no day', async () => {
    const begun: string[] = [];
    const { post } = intake({
      unsealedDateFrom: async (date, mayBeginDay) => {
        if (!(await mayBeginDay())) return undefined;
        begun.push(date);
        return date;
      },
    });
    const first = await post(sale());
    expect(await post(sale())).toMatchObject({ status: 200, body: first.body });
    expect(await problemOf(post(sale({ occurredAt: '2026-03-09T12:00:00Z' })))).toMatchObject({
      status: 422,
      slug: 'idempotency-key-reused',
    });
    expect(begun).toEqual(['2026-03-10']);
  });

  it('that has grown too old is refused, unless it is known', async () => {
    const { facts, post } = intake();
    const first = await post(sale());
    const at = new Date('2026-05-01T00:00:00.000Z');
    expect(await post(sale(), { at })).toMatchObject({ status: 200, body: first.body });
    expect(await problemOf(post(sale({ amount: 498 }), { at }))).toMatchObject({
      slug: 'idempotency-key-reused',
    });
    expect(await problemOf(post(sale(), { at, key: 'key-2' }))).toMatchObject({
      status: 422,
      slug: 'occurred-at-too-old',
    });
    expect(facts.size).toBe(1);
  });

  it.each([
    ['a reversal without its original', { type: 'reversal' }, 400],
    ['a sale with an original', { originalTransactionId: 'c0ffee' }, 400],
    ['a card number', { cardToken: '4111111111111111' }, 400],
    ['a time in the future', { occurredAt: '2026-03-10T16:10:00.001Z' }, 422],
  ])('with %s is refused, and nothing is written', async (_, changes, status) => {
    const { facts, post } = intake({
      unsealedDateFrom: async () => Promise.reject(new Error('no day may be begun for it')),
    });
    expect(await problemOf(post({ ...sale(), ...changes }))).toMatchObject({ status });
    expect(facts.size).toBe(0);
  });

  it.each(['', 'a b', 'k'.repeat(65), 'key,key', 'ключ', '4111111111111111'])(
    'is refused under the idempotency key %j',
    async (key) => {
      const { facts, post } = intake();
      expect(await problemOf(post(sale(), { key }))).toMatchObject({ status: 400 });
      expect(facts.size).toBe(0);
    },
  );
});

function days(known: Record<BusinessDate, BusinessDay> = {}) {
  const records = new Map(Object.entries(known));
  const reads: BusinessDate[] = [];
  let milliseconds = 0;
  const now = () => new Date(milliseconds);
  const table: Parameters<typeof createDayFinder>[0] = {
    read: async (date) => {
      reads.push(date);
      return Promise.resolve(records.get(date));
    },
    begin: async (date) => {
      if (!records.has(date)) records.set(date, businessDay());
      return Promise.resolve('begun');
    },
  };
  return {
    records,
    reads,
    table,
    now,
    find: createDayFinder(table, now),
    pass: (more: number) => (milliseconds += more),
  };
}

describe('the date that a transaction gets', () => {
  const sealed = sealedDay();

  it('is its own while the day is open, and the day is begun', async () => {
    const { find, records } = days();
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-10');
    expect(records.get('2026-03-10')).toEqual(businessDay());
  });

  it('is none where the day would be begun for nothing', async () => {
    const { find, records } = days({ '2026-03-10': sealed });
    const never = async (): Promise<boolean> => Promise.resolve(false);
    expect(await find('2026-03-10', never)).toBeUndefined();
    expect([...records.keys()]).toEqual(['2026-03-10']);
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-11');
    expect(await find('2026-03-10', never)).toBe('2026-03-11');
  });

  it('is the earliest after it that is not sealed', async () => {
    const { find, records } = days({ '2026-03-10': sealed, '2026-03-11': sealed });
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-12');
    expect([...records.keys()]).toEqual(['2026-03-10', '2026-03-11', '2026-03-12']);
  });

  it('rolls on when the day is sealed between its being read and begun', async () => {
    const { records, table, now } = days();
    const begin: typeof table.begin = async (date, at) => {
      if (date !== '2026-03-10') return table.begin(date, at);
      // A run sealed the day, which had no record, just before.
      records.set(date, sealed);
      return 'exists';
    };
    const find = createDayFinder({ ...table, begin }, now);
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-11');
  });

  it('is taken from a cache for less than 5 s after the read began', async () => {
    const { find, reads, pass, records } = days({ '2026-03-10': businessDay() });
    await find('2026-03-10', mayBegin);
    records.set('2026-03-10', sealed);
    pass(4999);
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-10');
    expect(reads).toEqual(['2026-03-10']);
    pass(1);
    expect(await find('2026-03-10', mayBegin)).toBe('2026-03-11');
  });

  it('counts the cache’s 5 s from before a slow read', async () => {
    const { table, now, pass, reads } = days({ '2026-03-10': businessDay() });
    const read: typeof table.read = async (date) => {
      const day = await table.read(date);
      pass(3000);
      return day;
    };
    const find = createDayFinder({ ...table, read }, now);
    await find('2026-03-10', mayBegin);
    pass(2000);
    await find('2026-03-10', mayBegin);
    expect(reads).toHaveLength(2);
  });

  it('remembers for good that a day is sealed', async () => {
    const { find, reads, pass } = days({ '2026-03-10': sealed, '2026-03-11': businessDay() });
    await find('2026-03-10', mayBegin);
    pass(10_000_000);
    await find('2026-03-10', mayBegin);
    expect(reads.filter((date) => date === '2026-03-10')).toHaveLength(1);
  });

  it('stays right when more days are asked for than are remembered', async () => {
    const { find, records } = days();
    for (let number = 0; number < 250; number++) {
      const date = addDays('2026-01-01', number);
      if (number % 2 === 0) records.set(date, sealed);
      expect(await find(date, mayBegin)).toBe(number % 2 === 0 ? addDays(date, 1) : date);
    }
  });
});
