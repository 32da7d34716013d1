import { describe, expect, it } from '@jest/globals';
import picocolors from 'picocolors';
import type { CallApi } from '../../../cli/shared/api.ts';
import { settlementTable, toJson } from '../../../cli/replay/report.ts';
import { emptyTally } from '../../../cli/replay/send.ts';
import { settleDate, type DateResult } from '../../../cli/replay/settle.ts';

type Day = Record<string, unknown>;

function figures(count: number, amount: string): Day {
  return { count, amount };
}
/** The runs of the day, a second apart. */
function instant(second: string): string {
  return `2026-11-21T08:00:0${second}.000Z`;
}
function day(
  status: string,
  staged: number,
  settled: number,
  asOf: string,
  held = 0,
  settledAmount = `${settled * 100}`,
): Day {
  const USD = {
    staged: figures(staged, `${staged * 100}`),
    settled: figures(settled, settledAmount),
    held: figures(held, `${held * 100}`),
    reversed: figures(0, '0'),
    rejected: figures(0, '0'),
  };
  return {
    businessDate: '2026-11-20',
    status,
    revision: 1,
    asOf: instant(asOf),
    totals: { USD },
    breaks: [],
  };
}

/** Answers one state of the day after the other; the last one for ever. */
function fakeApi(states: readonly Day[]): { call: CallApi; reconciled: () => number } {
  let reconciled = 0;
  let asked = 0;
  const call: CallApi = async ({ method, path }) => {
    if (method === 'POST') {
      reconciled += 1;
      return { status: 202, headers: {}, body: undefined };
    }
    if (path.startsWith('/settlements/')) {
      const page = { businessDate: '2026-11-20', final: true };
      const line = { count: 1, gross: '0', fees: '0' };
      const body = path.includes('cursor=next')
        ? {
            ...page,
            items: [
              { ...line, merchantId: 'm2', currency: 'EUR', net: '-5' },
              { ...line, merchantId: 'm3', currency: 'USD', net: '7' },
            ],
          }
        : {
            ...page,
            items: [{ ...line, merchantId: 'm1', currency: 'USD', net: '9007199254740993' }],
            cursor: 'next',
          };
      return { status: 200, headers: {}, body };
    }
    const body = states[Math.min(asked, states.length - 1)];
    asked += 1;
    return { status: 200, headers: {}, body };
  };
  return { call, reconciled: () => reconciled };
}

const pace = { pollMilliseconds: 1, stalledSeconds: 60, blockedSeconds: 60 };
/** For a date that stays as it is. */
const hasty = { ...pace, stalledSeconds: 0.02, blockedSeconds: 0.01 };

async function settle(states: readonly Day[], accepted = 2): Promise<DateResult> {
  const { call } = fakeApi(states);
  return settleDate({ call, date: '2026-11-20', accepted, pace: states.length === 1 ? hasty : pace });
}

describe('a date being settled', () => {
  it('is waited for until it is balanced', async () => {
    const result = await settle([
      day('open', 0, 0, '1'),
      day('sealed', 2, 1, '2'),
      day('sealed', 2, 2, '3'),
      day('balanced', 2, 1, '4', 1),
    ]);
    expect(result).toMatchObject({ status: 'balanced', fault: undefined });
  });

  it('sums the nets over all pages, beyond 2^53', async () => {
    const { nets } = await settle([day('balanced', 2, 2, '1')]);
    expect(nets).toEqual(
      new Map([
        ['USD', 9_007_199_254_741_000n],
        ['EUR', -5n],
      ]),
    );
  });

  it('that was balanced before is reconciled again, and waited for until its books were walked again', async () => {
    const mismatch = [{ kind: 'terminal-totals', subject: 'till-1' }];
    const { call, reconciled } = fakeApi([
      day('balanced', 2, 2, '1'),
      day('balanced', 2, 2, '1'),
      { ...day('balanced', 2, 2, '2'), breaks: mismatch },
    ]);
    const result = await settleDate({ call, date: '2026-11-20', accepted: 2, pace });
    expect(reconciled()).toBe(1);
    expect(result).toMatchObject({ fault: undefined, day: { asOf: instant('2'), breaks: mismatch } });
  });

  it('waits for nobody to do what needs all outcomes, and does it once', async () => {
    const states = [
      day('sealed', 2, 1, '1'),
      day('sealed', 2, 2, '2'),
      day('sealed', 2, 2, '2'),
      day('balanced', 2, 2, '3'),
    ];
    const seen: (string | null | undefined)[] = [];
    let asOf: string | null | undefined;
    await settleDate({
      call: fakeApi(states).call,
      date: '2026-11-20',
      accepted: 2,
      pace,
      onPoll: (_, state) => (asOf = state?.asOf),
      meanwhile: async () => void seen.push(asOf),
    });
    expect(seen).toEqual([instant('2')]);
  });

  it('fails where what is done meanwhile fails', async () => {
    const meanwhile = async (): Promise<void> => {
      throw new Error('no entries');
    };
    const { call } = fakeApi([day('sealed', 2, 2, '1'), day('balanced', 2, 2, '2')]);
    await expect(settleDate({ call, date: '2026-11-20', accepted: 2, pace, meanwhile })).rejects.toThrow(
      'no entries',
    );
  });

  it('may count less than nothing where it has only the decision on a held transaction', async () => {
    const released = {
      staged: figures(0, '0'),
      settled: figures(1, '500'),
      held: figures(-1, '-500'),
      reversed: figures(0, '0'),
      rejected: figures(0, '0'),
    };
    const result = await settle(
      [day('open', 0, 0, '0'), { ...day('balanced', 0, 0, '1'), totals: { USD: released } }],
      0,
    );
    expect(result.fault).toBeUndefined();
    expect(settlementTable([result], picocolors.createColors(false))).toMatch(
      /2026-11-20 +0 +1 +-1 +0 +0 +0\n(?:.*\n)+.* +5\.00 USD +-5\.00 USD/,
    );
  });

  it('that is still open is done when nothing is missing, as of a pass after the request', async () => {
    const result = await settle([day('open', 2, 2, '1'), day('open', 2, 2, '1'), day('open', 3, 3, '2')]);
    expect(result).toMatchObject({ status: 'open', fault: undefined, day: { asOf: instant('2') } });
  });

  it('is at fault when it counts less than was accepted', async () => {
    const result = await settle([day('balanced', 2, 2, '1')], 3);
    expect(result.fault).toBe('accepted were 3 transactions, but counted are 2');
  });

  it('is at fault when it stays sealed, when something stays missing, and when it is blocked', async () => {
    expect((await settle([day('sealed', 2, 2, '1')])).fault).toContain('sealed');
    expect((await settle([day('sealed', 2, 1, '1')])).fault).toBe('1 transaction has reached no outcome');
    expect((await settle([day('blocked', 2, 1, '1')])).fault).toContain('PUT /fx-rates');
  });

  it('is at fault when the amounts do not add up, though the counts do', async () => {
    const wrong = day('balanced', 2, 2, '1', 0, '199');
    expect((await settle([wrong])).fault).toBe('staged is not settled + held + reversed + rejected');
  });
});

describe('the report', () => {
  const colors = picocolors.createColors(false);

  it('prints per date every figure, its amount by the currency, and sums at the end', async () => {
    const one = await settle([day('balanced', 2000, 1999, '1', 1)], 2000);
    const other = { ...one, businessDate: '2026-11-21' };
    const table = settlementTable([one, other], colors);
    expect(table).toContain('business date');
    expect(table).toMatch(/2026-11-20 +2,000 +1,999 +1 +0 +0 +0\n/);
    expect(table).toMatch(/balanced +-0\.05 EUR\n/);
    expect(table).toMatch(/ +2,000\.00 USD +1,999\.00 USD +1\.00 USD +90,071,992,547,410\.00 USD\n/);
    expect(table).toMatch(/2 dates +4,000 +3,998 +2 +0 +0 +0\n +-0\.10 EUR\n/);
  });

  it('is as JSON exactly what was promised', async () => {
    const date = { ...(await settle([day('balanced', 2, 2, '1')])), seconds: 1.26 };
    const tally = { ...emptyTally(), staged: 2, replayed: 1, failed: 0 };
    expect(JSON.parse(toJson(tally, 0.04, [date]))).toEqual({
      staged: 2,
      replayed: 1,
      failed: 0,
      seconds: 0,
      dates: [
        {
          businessDate: '2026-11-20',
          status: 'balanced',
          totals: {
            USD: {
              staged: { count: 2, amount: '200' },
              settled: { count: 2, amount: '200' },
              held: { count: 0, amount: '0' },
              reversed: { count: 0, amount: '0' },
              rejected: { count: 0, amount: '0' },
            },
          },
          nets: { USD: '9007199254741000', EUR: '-5' },
          breaks: [],
          seconds: 1.3,
        },
      ],
    });
  });
});
