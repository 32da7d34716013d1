import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { ApiUnreachableError, type ApiRequest, type CallApi } from '../../../cli/shared/api.ts';
import { readCsv } from '../../../cli/replay/csv.ts';
import { emptyTally, sendTransactions, type ReplayTally } from '../../../cli/replay/send.ts';
import { survey } from '../../../cli/replay/rows.ts';

const header =
  'transaction_id,occurred_at,card_token,merchant_id,merchant_category_code,amount_minor,currency,type,original_transaction_id';

function row(id: string, rest = 'sale,'): string {
  return `${id},2026-11-20T12:00:00Z,tok_1,mer_1,5411,497,USD,${rest}`;
}

async function* textOf(lines: readonly string[]): AsyncGenerator<string> {
  yield [header, ...lines].join('\n');
}

function idOf(key: string): string {
  return createHash('md5').update(key).digest('hex');
}

function stagedBody(transactionId: string): object {
  return { transactionId, businessDate: '2026-11-20', status: 'staged' };
}

/** An API that accepts each key once, and answers as ours does. */
function fakeApi(): { call: CallApi; requests: ApiRequest[]; mostAtOnce: () => number } {
  const requests: ApiRequest[] = [];
  const known = new Set<string>();
  let current = 0;
  let most = 0;
  const call: CallApi = async (request) => {
    requests.push(request);
    current += 1;
    most = Math.max(most, current);
    await new Promise((resolve) => setImmediate(resolve));
    current -= 1;
    const key = request.headers?.['idempotency-key'] ?? '';
    const status = known.has(key) ? 200 : 201;
    known.add(key);
    return { status, headers: {}, body: stagedBody(idOf(key)) };
  };
  return { call, requests, mostAtOnce: () => most };
}

function problem(type: string): Record<string, unknown> {
  return {
    type: `https://duotempo.example/problems/${type}`,
    title: 'The transaction is not valid',
    errors: [{ pointer: '/currency', detail: 'is unknown' }],
  };
}

async function send(
  lines: readonly string[],
  call: CallApi,
  days = 3,
  concurrency = 4,
): Promise<ReplayTally> {
  const tally = emptyTally();
  const { originals } = await survey(readCsv(textOf(lines), 'file.csv', []));
  const rows = readCsv(textOf(lines), 'file.csv', []);
  await sendTransactions({ rows, originals, days, call, concurrency, tally });
  return tally;
}

describe('a replay', () => {
  it('sends every row once, with a key and an instant that carry the shift', async () => {
    const { call, requests } = fakeApi();
    const tally = await send([row('a'), row('b')], call);
    expect(tally).toMatchObject({ staged: 2, replayed: 0, failed: 0 });
    expect([...tally.accepted.dates].map(([date, { count }]) => [date, count])).toEqual([['2026-11-20', 2]]);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/transactions',
      headers: { 'idempotency-key': 'a-3' },
      body: { occurredAt: '2026-11-23T12:00:00Z', amount: 497 },
    });
  });

  it('counts what an earlier one has sent as replayed', async () => {
    const { call } = fakeApi();
    await send([row('a'), row('b')], call);
    expect(await send([row('a'), row('b'), row('c')], call)).toMatchObject({ staged: 1, replayed: 2 });
  });

  it('takes what stands twice in the file for one transaction', async () => {
    const { call } = fakeApi();
    const tally = await send([row('a'), row('a'), row('b')], call, 3, 1);
    expect(tally).toMatchObject({ staged: 2, replayed: 1 });
    expect(tally.accepted.dates.get('2026-11-20')).toMatchObject({ count: 2 });
  });

  it('sends a reversal after its sale, and counts both, though they have one identifier', async () => {
    const { call: accept, requests } = fakeApi();
    const call: CallApi = async (request) => {
      const answer = await accept(request);
      const { originalTransactionId } = v.parse(
        v.looseObject({ originalTransactionId: v.optional(v.string()) }),
        request.body,
      );
      // The API names a reversal by its sale.
      const transactionId = originalTransactionId ?? idOf(request.headers?.['idempotency-key'] ?? '');
      return { ...answer, body: stagedBody(transactionId) };
    };
    const tally = await send([row('r', 'reversal,s'), row('s')], call, 0);
    expect(requests.map(({ body }) => body)).toMatchObject([
      { type: 'sale' },
      { type: 'reversal', originalTransactionId: idOf('s-0') },
    ]);
    expect(tally.accepted.dates.get('2026-11-20')).toMatchObject({ count: 2 });
    expect([...tally.accepted.labels.keys()]).toEqual([idOf('s-0')]);
  });

  it('sends a refund after the sale it names, by the identifier that the API gave the sale', async () => {
    const { call, requests } = fakeApi();
    const tally = await send([row('r2', 'refund,r'), row('r', 'refund,s'), row('s')], call);
    expect(tally).toMatchObject({ staged: 3, failed: 0 });
    expect(requests.map(({ body }) => body)).toMatchObject([
      { type: 'sale' },
      { type: 'refund', originalTransactionId: idOf('s-3') },
      { type: 'refund', originalTransactionId: idOf('r-3') },
    ]);
  });

  it('reports a row whose original never arrived', async () => {
    const { call } = fakeApi();
    const tally = await send([row('r', 'reversal,nowhere'), row('s')], call);
    expect(tally).toMatchObject({ staged: 1, failed: 1 });
    expect(tally.failures).toEqual([
      { line: 2, reason: 'its original nowhere is not in the file, or was not accepted' },
    ]);
  });

  it('reports a bad row by its line, and sends the rest', async () => {
    const { call } = fakeApi();
    const tally = await send([row('a'), row('b').replace('497', '4.97'), row('c')], call);
    expect(tally).toMatchObject({ staged: 2, failed: 1, failures: [{ line: 3 }] });
  });

  it('says what the API found wrong with a row, and counts those that are too old apart', async () => {
    const { call: accept } = fakeApi();
    const call: CallApi = async (request) => {
      const key = request.headers?.['idempotency-key'] ?? '';
      if (key === 'old-3') return { status: 422, headers: {}, body: problem('occurred-at-too-old') };
      if (key === 'odd-3') return { status: 400, headers: {}, body: problem('validation') };
      return accept(request);
    };
    const tally = await send([row('old'), row('odd'), row('c')], call);
    expect(tally).toMatchObject({ staged: 1, failed: 2, tooOld: 1 });
    expect(tally.failures).toEqual([
      { line: 3, reason: '400 The transaction is not valid: /currency is unknown' },
    ]);
  });

  it('keeps no more requests under way than it may', async () => {
    const { call, mostAtOnce } = fakeApi();
    const lines = Array.from({ length: 100 }, (_, index) => row(`t${index}`));
    expect(await send(lines, call, 0, 5)).toMatchObject({ staged: 100 });
    expect(mostAtOnce()).toBe(5);
  });

  it('stops at once when nobody answers any more, and says how to finish', async () => {
    const { call: accept, requests } = fakeApi();
    const call: CallApi = async (request) => {
      if (requests.length >= 3) throw new ApiUnreachableError('http://localhost:1 does not answer: refused');
      return accept(request);
    };
    const lines = Array.from({ length: 50 }, (_, index) => row(`t${index}`));
    await expect(send(lines, call)).rejects.toMatchObject({
      name: 'CommandError',
      hint: expect.stringContaining('finishes the rest'),
    });
    expect(requests).toHaveLength(3);
  });
});
