import { describe, expect, it } from '@jest/globals';
import type { ApiRequest, CallApi } from '../../../cli/shared/api.ts';
import { noteAccepted, nothingAccepted, type Accepted } from '../../../cli/replay/accepted.ts';
import { breakFaults, describeBreak, noteOnOthers } from '../../../cli/replay/breaks.ts';
import type { Break } from '../../../cli/shared/business-day.ts';
import type { DateResult } from '../../../cli/replay/settle.ts';
import { reportTerminalTotals, terminalTotalsOf } from '../../../cli/replay/terminal-totals.ts';

let ids = 0;

function note(
  accepted: Accepted,
  fields: { type?: string; currency?: string; amount?: number; terminalId?: string } = {},
  answer: { transactionId?: string; businessDate?: string } = {},
): void {
  ids += 1;
  const body = {
    merchantId: 'mer_1',
    terminalId: 'till-1',
    type: 'sale',
    cardToken: 'tok_1',
    amount: 100,
    currency: 'USD',
    merchantCategoryCode: '5411',
    ...fields,
  };
  noteAccepted(
    accepted,
    { body, label: undefined },
    { transactionId: `t${ids}`, businessDate: '2026-11-20', ...answer },
  );
}

describe('the totals of a terminal', () => {
  it('are by type and currency, positive, for each date that the API named', () => {
    const accepted = nothingAccepted();
    note(accepted, {}, { transactionId: 'a' });
    note(accepted, { amount: 50 });
    note(accepted, { type: 'refund', amount: 30 });
    note(accepted, { currency: 'JPY', amount: 7 });
    note(accepted, { type: 'reversal' }, { transactionId: 'a' });
    note(accepted, { amount: 9 }, { businessDate: '2026-11-21' });
    note(accepted, { terminalId: 'till-2' });
    const day = { businessDate: '2026-11-20' };
    expect(terminalTotalsOf(accepted)).toEqual([
      {
        terminalId: 'till-1',
        ...day,
        lines: [
          { type: 'sale', currency: 'USD', count: 2, amount: 150n },
          { type: 'refund', currency: 'USD', count: 1, amount: 30n },
          { type: 'sale', currency: 'JPY', count: 1, amount: 7n },
          { type: 'reversal', currency: 'USD', count: 1, amount: 100n },
        ],
      },
      { terminalId: 'till-2', ...day, lines: [{ type: 'sale', currency: 'USD', count: 1, amount: 100n }] },
      {
        terminalId: 'till-1',
        businessDate: '2026-11-21',
        lines: [{ type: 'sale', currency: 'USD', count: 1, amount: 9n }],
      },
    ]);
  });

  it('count an answer to a retry once', () => {
    const accepted = nothingAccepted();
    note(accepted, {}, { transactionId: 'a' });
    note(accepted, {}, { transactionId: 'a' });
    expect(terminalTotalsOf(accepted)).toMatchObject([{ lines: [{ count: 1, amount: 100n }] }]);
  });

  it('of a terminal that miscounts have a sale and a minor unit too many, also where it only refunded', () => {
    const accepted = nothingAccepted();
    note(accepted);
    note(accepted, { type: 'refund', terminalId: 'till-2' });
    expect(terminalTotalsOf(accepted, 'till-1')).toMatchObject([
      { terminalId: 'till-1', lines: [{ type: 'sale', count: 2, amount: 101n }] },
      { terminalId: 'till-2', lines: [{ type: 'refund', count: 1 }] },
    ]);
    expect(terminalTotalsOf(accepted, 'till-2')[1]?.lines).toEqual([
      { type: 'sale', currency: 'USD', count: 1, amount: 1n },
      { type: 'refund', currency: 'USD', count: 1, amount: 100n },
    ]);
  });

  it('are put as numbers, one request each', async () => {
    const accepted = nothingAccepted();
    note(accepted);
    const requests: ApiRequest[] = [];
    const call: CallApi = async (request) => {
      requests.push(request);
      return { status: 204, headers: {}, body: undefined };
    };
    let reported = 0;
    await reportTerminalTotals({
      totals: terminalTotalsOf(accepted),
      call,
      concurrency: 2,
      onReported: () => (reported += 1),
    });
    expect(reported).toBe(1);
    expect(requests).toEqual([
      {
        method: 'PUT',
        path: '/terminals/till-1/totals/2026-11-20',
        body: { totals: [{ type: 'sale', currency: 'USD', count: 1, amount: 100 }] },
      },
    ]);
  });
});

/** A date on which 10 transactions were staged, all of this replay unless the test says otherwise. */
function dateWith(breaks: readonly Break[], accepted = 10): DateResult {
  const none = { count: 0, amount: '0' };
  const USD = {
    staged: { count: 10, amount: '1000' },
    settled: { count: 10, amount: '1000' },
    held: none,
    reversed: none,
    rejected: none,
  };
  return {
    businessDate: '2026-11-20',
    accepted,
    status: 'balanced',
    day: {
      businessDate: '2026-11-20',
      status: 'balanced',
      revision: 1,
      totals: { USD },
      breaks: [...breaks],
    },
    nets: new Map(),
    seconds: 1,
    fault: undefined,
  };
}

const wrong: Break = {
  kind: 'terminal-totals',
  subject: 'till-1',
  expected: [{ type: 'sale', currency: 'USD', count: 1001, amount: '123457' }],
  actual: [{ type: 'sale', currency: 'USD', count: 1000, amount: '123456' }],
};

describe('a break', () => {
  it('of terminal totals shows both books', () => {
    expect(describeBreak(wrong)).toBe(
      'terminal-totals till-1: sale USD 1,001 of 1,234.57 USD reported, 1,000 of 1,234.56 USD staged',
    );
  });

  it('of transactions counts them and names the first', () => {
    const found: Break = {
      kind: 'unsettled',
      subject: '2026-11-20',
      count: 5,
      ids: ['a', 'b', 'c', 'd', 'e'],
    };
    expect(describeBreak(found)).toBe('unsettled 2026-11-20: 5 transactions; a, b, c…');
  });

  const played = new Set(['till-1']);

  it('is a fault, unless it was asked for or another terminal answers for it', () => {
    expect(breakFaults([dateWith([wrong])], played, undefined)).toEqual(['2026-11-20: 1 break found']);
    expect(breakFaults([dateWith([wrong])], played, 'till-1')).toEqual([]);
    expect(breakFaults([dateWith([{ ...wrong, subject: 'till-9' }])], played, undefined)).toEqual([]);
    expect(breakFaults([dateWith([])], played, undefined)).toEqual([]);
  });

  it('that was asked for and is not there is a fault', () => {
    expect(breakFaults([dateWith([])], played, 'till-1')).toEqual([
      'The wrong totals of the terminal till-1 were not found out.',
    ]);
  });

  it('where others used a terminal of the same name is none, and is told', () => {
    const { expected = [], actual = [] } = wrong;
    const more = { ...wrong, expected: actual, actual: expected };
    expect(breakFaults([dateWith([more], 9)], played, undefined)).toEqual([]);
    expect(noteOnOthers([dateWith([more], 9)], played)).toContain('At 1 terminal more was staged');
    // Nobody else is there: the app has staged something twice.
    expect(breakFaults([dateWith([more], 10)], played, undefined)).toHaveLength(1);
    // Less is staged than was accepted, whoever else is there.
    expect(breakFaults([dateWith([wrong], 9)], played, undefined)).toHaveLength(1);
    expect(noteOnOthers([dateWith([wrong], 9)], played)).toBeUndefined();
  });
});
