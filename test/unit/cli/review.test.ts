import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import type { ApiRequest, ApiResponse, CallApi } from '../../../cli/shared/api.ts';
import { createPrompt, describeTally, reviewEach } from '../../../cli/review/conversation.ts';
import { describeHeld, describeRule } from '../../../cli/review/describe.ts';
import { allHeld, decide, type Held } from '../../../cli/review/held.ts';

const colors = picocolors.createColors(false);

function held(transactionId: string, fields: Partial<Held> = {}): Held {
  return {
    transactionId,
    businessDate: '2026-11-20',
    merchantId: 'mer_1',
    terminalId: 'till-1',
    type: 'sale',
    amount: 89_990,
    currency: 'USD',
    cardToken: 'tok_1',
    merchantCategoryCode: '5732',
    occurredAt: '2026-11-19T23:14:05-05:00',
    stagedAt: '2026-11-20T04:14:06.000Z',
    settledAt: '2026-11-20T05:00:00.000Z',
    status: 'held',
    score: 90,
    rules: [
      { rule: 'night-large', score: 70, inputs: { localHour: 23, amount: '899.90', currency: 'USD' } },
      { rule: 'high-risk-category', score: 20, inputs: { merchantCategoryCode: '5732' } },
    ],
    ...fields,
  };
}

describe('a held transaction', () => {
  it('is shown with what it is, and with what each rule saw', () => {
    expect(describeHeld(held('t1'), colors)).toBe(
      [
        '899.90 USD at mer_1, 2026-11-19T23:14:05-05:00  t1',
        '  terminal till-1, category 5732, card tok_1, business date 2026-11-20',
        '  night-large 70: 899.90 USD at hour 23 of the place',
        '  high-risk-category 20: the merchant category 5732',
        '  score 90',
      ].join('\n'),
    );
  });

  it.each([
    ['duplicate', { otherTransactionId: 'abc', seconds: 61 }, 'the same as abc, 61 s after it'],
    ['burst', { earlierUses: 12, windowMinutes: 10 }, '12 uses of the card in the 10 minutes before'],
    [
      'burst',
      { earlierUses: 12, windowMinutes: 10, country: 'US' },
      '12 uses of the card in the 10 minutes before, country US',
    ],
    ['impossible-travel', { kilometres: 900, seconds: 0 }, 'kilometres 900, seconds 0'],
    ['tomorrow', { moon: 'full', hour: 3 }, 'moon full, hour 3'],
  ])('met %s with %j: %s', (rule, inputs, text) => {
    expect(describeRule({ rule, score: 70, inputs })).toBe(text);
  });

  it('cannot write on the screen what it likes', () => {
    const odd = held('t1', {
      merchantId: 'mer\u001B[2J',
      rules: [{ rule: 'x\u0007', score: 1, inputs: { a: '\u001B' } }],
    });
    // oxlint-disable-next-line no-control-regex
    expect(describeHeld(odd, colors)).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
  });
});

function person(...answers: string[]) {
  const said: string[] = [];
  const decisions: unknown[][] = [];
  return {
    said,
    decisions,
    ask: async () => answers.shift(),
    say: (text: string) => void said.push(text),
    colors,
    decide: async (...decision: unknown[]) => {
      decisions.push(decision);
      return decision[0] === 'taken'
        ? { done: false as const, reason: '409 The transaction is decided already: It was rejected.' }
        : { done: true as const, businessDate: '2026-11-23', body: {} };
    },
  };
}

describe('a review', () => {
  it('does with each what the person says', async () => {
    const who = person('r', 'known customer', 'j', 'stolen', 's');
    const tally = await reviewEach([held('a'), held('b'), held('c')], who);
    expect(who.decisions).toEqual([
      ['a', 'release', 'known customer'],
      ['b', 'reject', 'stolen'],
    ]);
    expect(describeTally(tally, 3)).toBe(
      '1 released, 1 rejected, 1 skipped; 1 transaction left\nThe decisions belong to 2026-11-23, and are booked by its next run.',
    );
  });

  it('says where somebody else was faster, and goes on', async () => {
    const who = person('release', 'fine', 'r', 'fine');
    const tally = await reviewEach([held('taken'), held('b')], who);
    expect(who.said.join('\n')).toContain(
      'Not released: 409 The transaction is decided already: It was rejected.',
    );
    expect(tally).toMatchObject({ released: 1 });
  });

  it('asks again where it does not understand, and where there is no reason', async () => {
    const who = person('x', 'r', ' ', 'r', 'fine');
    await reviewEach([held('a')], who);
    expect(who.decisions).toEqual([['a', 'release', 'fine']]);
    expect(who.said).toEqual(expect.arrayContaining(['One of r, j, s and q.']));
  });

  it.each([[['q']], [[]], [['r']]])('decides nothing more after %j', async (answers) => {
    const who = person(...answers);
    expect(await reviewEach([held('a'), held('b')], who)).toMatchObject({ released: 0, skipped: 0 });
    expect(who.decisions).toEqual([]);
  });

  it('ends where the input does, also in the middle of a question', async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const { ask, close } = createPrompt(input, output);
    const first = ask('one? ');
    input.write('yes\n');
    expect(await first).toBe('yes');
    const second = ask('two? ');
    input.end();
    expect(await second).toBeUndefined();
    expect(await ask('three? ')).toBeUndefined();
    expect(String(output.read())).toContain('one? ');
    close();
  });
});

describe('what waits for review', () => {
  function api(answers: Readonly<Record<string, ApiResponse['body']>>, status = 200) {
    const requests: ApiRequest[] = [];
    const call: CallApi = async (request) => {
      requests.push(request);
      return { status, headers: {}, body: answers[request.path] };
    };
    return { call, requests };
  }

  const id = (character: string): string => character.repeat(32);

  it('is looked for on the dates that count something as held', async () => {
    const none = { count: 0, amount: '0' };
    const totals = { staged: none, settled: none, held: none, reversed: none, rejected: none };
    const day = (businessDate: string, count: number): unknown => ({
      businessDate,
      status: 'sealed',
      revision: 1,
      totals: { USD: totals, EUR: { ...totals, held: { count, amount: '0' } } },
      breaks: [],
    });
    const heldOn = (date: string): string => `/transactions?status=held&businessDate=${date}&limit=100`;
    const { call, requests } = api({
      '/business-days?limit=100': {
        items: [day('2026-11-22', 0), day('2026-11-21', 3), day('2026-11-20', -1)],
        cursor: 'x',
      },
      '/business-days?limit=100&cursor=x': { items: [day('2026-11-19', 1)] },
      [heldOn('2026-11-21')]: { items: [held(id('a'))] },
      [heldOn('2026-11-19')]: { items: [] },
    });
    expect((await allHeld(call, undefined)).map(({ transactionId }) => transactionId)).toEqual([id('a')]);
    expect(requests.map(({ path }) => path).slice(2)).toEqual([heldOn('2026-11-21'), heldOn('2026-11-19')]);
  });

  it('is read over all pages, also past an empty one', async () => {
    const path = '/transactions?status=held&businessDate=2026-11-20&limit=100';
    const { call } = api({
      [path]: { items: [held(id('a'))], cursor: 'x' },
      [`${path}&cursor=x`]: { items: [], cursor: 'y' },
      [`${path}&cursor=y`]: { items: [held(id('b'))] },
    });
    const items = await allHeld(call, '2026-11-20');
    expect(items.map(({ transactionId }) => transactionId)).toEqual([id('a'), id('b')]);
  });

  it('is decided on with a reason; a refusal is told and no error', async () => {
    const body = {
      transactionId: id('a'),
      decision: 'release',
      businessDate: '2026-11-23',
      decidedAt: '2026-11-23T10:00:00.000Z',
    };
    const { call, requests } = api({ '/transactions/a/release': body });
    expect(await decide(call, 'a', 'release', 'fine')).toEqual({
      done: true,
      businessDate: '2026-11-23',
      body,
    });
    expect(requests).toEqual([{ method: 'POST', path: '/transactions/a/release', body: { reason: 'fine' } }]);
    const refusing = api({ '/transactions/a/reject': { title: 'The transaction is not held' } }, 409);
    expect(await decide(refusing.call, 'a', 'reject', 'fine')).toEqual({
      done: false,
      reason: '409 The transaction is not held',
    });
  });
});
