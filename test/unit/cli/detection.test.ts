import { describe, expect, it } from '@jest/globals';
import type { ApiRequest, CallApi } from '../../../cli/shared/api.ts';
import { createDetection } from '../../../cli/replay/detection.ts';
import { detectionTable } from '../../../cli/replay/report.ts';
import { readVerdicts, type Verdict } from '../../../cli/replay/verdicts.ts';

function verdict(transactionId: string, status: string, ...rules: string[]): Verdict {
  return { transactionId, status, rules: rules.map((rule) => ({ rule })) };
}

function detect(
  labels: Record<string, string | undefined>,
  verdicts: readonly Verdict[],
): ReturnType<ReturnType<typeof createDetection>['detection']> {
  const { add, detection } = createDetection(new Map(Object.entries(labels)), ['burst', 'velocity']);
  for (const each of verdicts) add(each);
  return detection();
}

describe('detection', () => {
  it('counts each rule for itself and, in all, what is held', () => {
    const labels = { a: 'fraud', b: 'fraud', c: undefined, d: undefined };
    const found = detect(labels, [
      verdict('a', 'held', 'burst', 'velocity'),
      verdict('b', 'settled', 'velocity'),
      verdict('c', 'settled', 'velocity'),
      verdict('d', 'settled'),
    ]);
    expect(found).toEqual({
      transactions: 4,
      fraud: 2,
      all: { flagged: 1, truePositives: 1, falsePositives: 0, precision: 1, recall: 0.5 },
      rules: {
        burst: { flagged: 1, truePositives: 1, falsePositives: 0, precision: 1, recall: 0.5 },
        velocity: { flagged: 3, truePositives: 2, falsePositives: 1, precision: 0.6667, recall: 1 },
      },
      labels: {},
    });
  });

  it('counts what each kind of fraud lost to the rules, where labels name kinds', () => {
    const { labels } = detect({ a: 'burst', b: 'burst', c: 'spike', d: undefined }, [
      verdict('a', 'held'),
      verdict('b', 'settled'),
      verdict('c', 'held'),
      verdict('d', 'held'),
    ]);
    expect(labels).toEqual({
      burst: { transactions: 2, held: 1, recall: 0.5 },
      spike: { transactions: 1, held: 1, recall: 1 },
    });
  });

  it('leaves out what is not in the file, decisions, and a verdict read twice', () => {
    const { transactions, all } = detect({ a: 'fraud' }, [
      verdict('a', 'held'),
      verdict('a', 'held'),
      verdict('a#decision', 'settled'),
      verdict('other', 'held'),
    ]);
    expect({ transactions, flagged: all.flagged }).toEqual({ transactions: 1, flagged: 1 });
  });

  it('has no precision where nothing is flagged, and no recall where nothing is fraud', () => {
    const { all } = detect({ a: undefined }, [verdict('a', 'settled')]);
    expect(all).toMatchObject({ precision: null, recall: null });
  });

  it('is shown as a table, rule by rule, and the kinds below', () => {
    const table = detectionTable(detect({ a: 'spike', b: undefined }, [verdict('a', 'held', 'velocity')]));
    expect(table).toMatch(/^burst +0 +0 +0 +- +0\.00$/m);
    expect(table).toMatch(/^velocity +1 +1 +0 +1\.00 +1\.00$/m);
    expect(table).toMatch(/^in all: held +1 +1 +0 +1\.00 +1\.00$/m);
    expect(table).toMatch(/^spike +1 +1 +1\.00$/m);
  });
});

describe('the verdicts of a date', () => {
  const many = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(32));
  const single = '9'.repeat(32);
  const sale = {
    merchantId: 'm1',
    businessDate: '2026-11-20',
    type: 'sale',
    currency: 'USD',
  };
  const entry = (transactionId: string): object => ({
    ...sale,
    ...verdict(transactionId, 'settled'),
    ...{ amount: '100', gross: '100', fee: '0', net: '100', settlementCurrency: 'USD' },
    withoutProfile: true,
    score: 0,
    settledAt: '2026-11-20T12:00:00.000Z',
  });
  const view = (transactionId: string): object => ({
    ...sale,
    transactionId,
    terminalId: 'till-1',
    cardToken: 'tok_1',
    amount: 100,
    merchantCategoryCode: '5411',
    occurredAt: '2026-11-20T11:00:00Z',
    stagedAt: '2026-11-20T11:00:01.000Z',
    status: 'settled',
    entries: [entry(transactionId)],
  });

  async function read(call: CallApi): Promise<string[]> {
    const seen: string[] = [];
    const merchants = new Map([
      ['m1', many],
      ['m2', [single]],
    ]);
    const onVerdict = ({ transactionId }: Verdict): unknown => seen.push(transactionId);
    await readVerdicts({ call, date: '2026-11-20', merchants, concurrency: 2, onVerdict });
    return seen.toSorted();
  }

  it('are read over all pages of a merchant with many, and one by one for others', async () => {
    const requests: ApiRequest[] = [];
    const seen = await read(async (request) => {
      requests.push(request);
      const { path } = request;
      const ids = path.includes('cursor=next') ? many.slice(5) : many.slice(0, 5);
      const body = path.startsWith('/transactions/')
        ? view(single)
        : {
            businessDate: '2026-11-20',
            merchantId: 'm1',
            items: ids.map(entry),
            ...(path.includes('cursor=next') ? {} : { cursor: 'next' }),
          };
      return { status: 200, headers: {}, body };
    });
    expect(seen).toEqual([...many, single]);
    expect(requests.map(({ path }) => path).toSorted()).toEqual([
      '/settlements/2026-11-20/merchants/m1?limit=100',
      '/settlements/2026-11-20/merchants/m1?limit=100&cursor=next',
      `/transactions/${single}`,
    ]);
  });

  it('that cannot be read fail the command, saying whose', async () => {
    const call: CallApi = async ({ path }) =>
      path.startsWith('/transactions/')
        ? { status: 200, headers: {}, body: view(single) }
        : { status: 404, headers: {}, body: { title: 'No settlement' } };
    await expect(read(call)).rejects.toMatchObject({
      name: 'CommandError',
      message: 'The API does not give the settlement of m1 on 2026-11-20: 404 No settlement.',
    });
  });
});
