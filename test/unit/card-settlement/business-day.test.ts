import { describe, expect, it } from '@jest/globals';
import {
  seals,
  type BlockedDay,
  type BusinessDay,
  type Trigger,
} from '../../../lambda/card-settlement/domain/business-day.ts';
import { conclude, type Outcome } from '../../../lambda/card-settlement/domain/conclusion.ts';
import {
  mayBalance,
  overdueBefore,
  planRun,
  planSends,
  sends,
  type RunSettings,
  type RunStart,
  type SendPlan,
} from '../../../lambda/card-settlement/domain/run-plan.ts';
import type { ControlTotals } from '../../../lambda/card-settlement/domain/totals.ts';
import type { Findings } from '../../../lambda/card-settlement/domain/walk-state.ts';
import { parseDay } from '../../../lambda/card-settlement/store/day-record.ts';
import { balancedDay, businessDay, sealedDay } from './card-facts.ts';

const calendar = { timeZone: 'America/New_York', cutOff: '17:00' };
const settings: RunSettings = {
  calendar,
  sealWaitSeconds: 30,
  settlementWindowSeconds: 10,
  settlementHorizonSeconds: 960,
};
const CUT_OFF = '2026-03-10T21:00:00.000Z';
const all: SendPlan = { all: true };
const unseen: SendPlan = { all: false, sentBefore: '9999' };

const open = businessDay({ firstStagedAt: '2026-03-10T12:00:00.000Z' });

function after(seconds: number): Date {
  return new Date(Date.parse(CUT_OFF) + seconds * 1000);
}

const sealed = sealedDay({ firstStagedAt: '2026-03-10T12:00:00.000Z' });
const blocked: BlockedDay = { ...sealed, status: 'blocked', ratesMissing: ['EUR'] };

function tally(...ids: string[]) {
  return { count: ids.length, ids };
}

const none = { count: 0, amount: 0n };
const some = { count: 3, amount: 1500n };
const agreed: Record<string, ControlTotals> = {
  USD: { staged: some, settled: some, held: none, reversed: none, rejected: none },
};

const balanced = balancedDay({ totals: agreed });

function findings(changes: Partial<Findings> = {}): Findings {
  return {
    totals: agreed,
    missing: tally(),
    overdue: tally(),
    unstaged: tally(),
    mismatched: tally(),
    terminals: { count: 0, named: [] },
    sent: 0,
    ...changes,
  };
}

/** A run that begins, with an empty settlement queue if nothing else is said. */
function startAt(trigger: Trigger, startedAt: Date, changes: Partial<RunStart> = {}): RunStart {
  return { trigger, startedAt, ratesFound: false, waiting: 0, ...changes };
}

function concluded(
  of: BusinessDay,
  found: Findings,
  run: { startedAt?: Date; endedAt?: Date; plan?: SendPlan; attempt?: number } = {},
): Outcome {
  const startedAt = run.startedAt ?? after(60);
  return conclude(
    of,
    found,
    {
      startedAt,
      endedAt: run.endedAt ?? new Date(startedAt.getTime() + 2000),
      plan: { ...planRun(of, startAt('schedule', startedAt), settings), sends: run.plan ?? unseen },
      attempt: run.attempt ?? 0,
    },
    settings,
  );
}

describe('the status of a day', () => {
  it('follows from what its record has', () => {
    const recorded = (attributes: Record<string, unknown>) =>
      parseDay({ itemKey: '2026-03-10', revision: 1, ...attributes }).status;
    const sealedAt = CUT_OFF;
    const ratesMissing = ['EUR'];
    const balancedAt = after(31).toISOString();
    expect(recorded({})).toBe('open');
    expect(recorded({ sealedAt })).toBe('sealed');
    expect(recorded({ sealedAt, balancedAt })).toBe('balanced');
    expect(recorded({ ratesMissing })).toBe('blocked');
    expect(recorded({ sealedAt, ratesMissing })).toBe('blocked');
    expect(recorded({ sealedAt, balancedAt, ratesMissing })).toBe('balanced');
  });
});

describe('sealing', () => {
  it.each(['schedule', 'operator', 'continue', 'rates'] as const)(
    'is done by no %s run before the cut-off, and by none twice',
    (trigger) => {
      expect(seals('2026-03-10', open, trigger, after(-0.001), calendar)).toBe(false);
      expect(seals('2026-03-10', sealed, trigger, after(86_400), calendar)).toBe(false);
    },
  );

  it('is done by an operator’s request at the cut-off', () => {
    expect(seals('2026-03-10', open, 'operator', after(0), calendar)).toBe(true);
    expect(seals('2026-03-10', undefined, 'operator', after(0), calendar)).toBe(true);
  });

  it('is done by the schedule at the cut-off', () => {
    expect(seals('2026-03-10', open, 'schedule', after(0), calendar)).toBe(true);
  });

  it('waits, by the schedule, until 2 h after the first transaction', () => {
    const late = businessDay({ firstStagedAt: after(-3600).toISOString() });
    expect(seals('2026-03-10', late, 'schedule', after(3599.999), calendar)).toBe(false);
    expect(seals('2026-03-10', late, 'continue', after(3599.999), calendar)).toBe(false);
    expect(seals('2026-03-10', late, 'schedule', after(3600), calendar)).toBe(true);
    expect(seals('2026-03-10', late, 'operator', after(0), calendar)).toBe(true);
  });

  it('comes, by the schedule, to a day that a request made known before its first transaction did', () => {
    expect(seals('2026-03-10', undefined, 'schedule', after(0), calendar)).toBe(true);
  });
});

describe('what a run sends', () => {
  const sent = {
    ...sealed,
    sending: {
      sentFrom: after(10).toISOString(),
      allSentFrom: after(10).toISOString(),
      resendAt: after(1000).toISOString(),
    },
  };
  const at = (seconds: number) => ({ stagedAt: after(seconds).toISOString() });

  const planned = (of: BusinessDay, trigger: Trigger, seconds: number, changes: Partial<RunStart> = {}) =>
    planSends(of, startAt(trigger, after(seconds), changes), settings);

  it('is everything missing, the first time', () => {
    const plan = planned(sealed, 'continue', 40);
    expect(plan.all).toBe(true);
    expect(sends(plan, at(-9999), 'a')).toBe(true);
  });

  it('is, before the horizon, what the run before cannot have seen: staged 15 s before it, or later', () => {
    for (const trigger of ['schedule', 'continue'] as const) {
      const plan = planned(sent, trigger, 999.999);
      expect(plan.all).toBe(false);
      expect(sends(plan, at(-5.001), 'a')).toBe(false);
      expect(sends(plan, at(-5), 'a')).toBe(true);
      expect(sends(plan, at(500), 'a')).toBe(true);
    }
  });

  it('is everything missing again, once all that was sent is settled or in the dead-letter queue', () => {
    expect(planned(sent, 'schedule', 1000).all).toBe(true);
    expect(planned(sent, 'continue', 1000).all).toBe(true);
  });

  it('is nothing again while it waits in a busy queue', () => {
    expect(planned(sent, 'continue', 1000, { waiting: 50_000 }).all).toBe(false);
    const moving = { ...sent, progress: { missing: 9, waiting: 90_000, since: after(10).toISOString() } };
    expect(planned(moving, 'continue', 1000, { waiting: 50_000 }).all).toBe(false);
  });

  it('is everything missing again when few messages have been left for as long as one may take', () => {
    const few = (seconds: number) =>
      planned(
        {
          ...sent,
          progress: { missing: 9000, since: after(1000).toISOString(), fewSince: after(1000).toISOString() },
        },
        'continue',
        seconds,
        { waiting: 900 },
      ).all;
    expect([few(1959), few(1960)]).toEqual([false, true]);
  });

  it('is a few again that may be lost in a queue that is stuck, and no more of them than cost nothing', () => {
    const stuck = (missing: number, seconds: number) =>
      planned(
        { ...sent, progress: { missing, waiting: 50_000, since: after(1000).toISOString() } },
        'continue',
        seconds,
        { waiting: 49_900 },
      ).all;
    expect([stuck(9, 1959), stuck(9, 1960), stuck(9000, 1960)]).toEqual([false, true, false]);
  });

  it('is everything missing again when SQS has dropped what it had', () => {
    expect(planned(sent, 'schedule', 1000 + 4 * 86_400, { waiting: 50_000 }).all).toBe(true);
  });

  it('is everything missing at once, for an operator, or when rates came', () => {
    expect(planned(sent, 'operator', 11).all).toBe(true);
    expect(planned(sent, 'rates', 11).all).toBe(true);
    expect(planned(sent, 'continue', 11, { ratesFound: true }).all).toBe(true);
  });

  it('is nothing again of a day that waits for rates', () => {
    expect(planned({ ...blocked, sending: sent.sending }, 'schedule', 1000).all).toBe(false);
  });

  it('is, after a run that ended before its time, what that one had not come to', () => {
    const interrupted = { startedAt: after(100).toISOString(), all: true, through: 'm' };
    for (const trigger of ['schedule', 'operator'] as const) {
      const plan = planned(sealed, trigger, 110, { interrupted });
      expect(plan.all).toBe(true);
      expect(sends(plan, at(0), 'm')).toBe(false);
      expect(sends(plan, at(0), 'n')).toBe(true);
      expect(sends(plan, at(90), 'a')).toBe(true);
    }
  });

  it('is everything, for an operator, if the run that ended had not sent all, or has concluded', () => {
    const interrupted = { startedAt: after(100).toISOString(), all: false, through: 'm' };
    expect(sends(planned(sent, 'operator', 110, { interrupted }), at(0), 'a')).toBe(true);
    const over = { ...sent, asOf: after(105).toISOString() };
    const all = { ...interrupted, all: true };
    expect(sends(planned(over, 'operator', 110, { interrupted: all }), at(0), 'a')).toBe(true);
  });
});

describe('balancing', () => {
  it('takes a run that began when the seal’s wait was over', () => {
    expect(mayBalance(sealed, after(29.999), settings)).toBe(false);
    expect(mayBalance(sealed, after(30), settings)).toBe(true);
    expect(mayBalance(open, after(9999), settings)).toBe(false);
    expect(mayBalance(balanced, after(9999), settings)).toBe(false);
  });

  it('happens when nothing is missing, at the end of the run, and ends the series', () => {
    const { day: result, next } = concluded(sealed, findings());
    expect(result).toMatchObject({
      balancedAt: after(62).toISOString(),
      asOf: after(62).toISOString(),
      revision: 1,
      totals: agreed,
      breaks: [],
    });
    expect(result.status).toBe('balanced');
    expect(next).toBeUndefined();
  });

  it.each<[string, Findings]>([
    ['something is missing', findings({ missing: tally('t1') })],
    ['the ledger has what was never staged', findings({ unstaged: tally('t1') })],
    ['the books differ about a transaction', findings({ mismatched: tally('t1') })],
    [
      'amounts differ',
      findings({
        totals: {
          USD: {
            staged: some,
            settled: { count: 3, amount: 1499n },
            held: none,
            reversed: none,
            rejected: none,
          },
        },
      }),
    ],
  ])('does not happen while %s', (_, found) => {
    const { day: result, next } = concluded(sealed, found);
    expect(result.status).toBe('sealed');
    expect(next).toBeDefined();
  });

  it('does not happen to the open day, which stops asking for runs when nothing is missing', () => {
    const outcome = concluded(open, findings(), { startedAt: after(-3600) });
    expect(outcome.day.status).toBe('open');
    expect(outcome.next).toBeUndefined();
    expect(concluded(open, findings({ missing: tally('t1') })).next).toBeDefined();
  });

  it('does not happen before the wait is over; the next run comes when it is', () => {
    const { day: result, next } = concluded(sealed, findings(), { startedAt: after(5), endedAt: after(7.5) });
    expect(result.status).toBe('sealed');
    expect(next).toEqual({ delaySeconds: 23, attempt: 0 });
  });

  it('stands when a later walk finds all as it was', () => {
    const { day: result, next } = concluded(balanced, findings(), { startedAt: after(90_000) });
    expect(result).toMatchObject({ balancedAt: balanced.balancedAt, revision: 1 });
    expect(next).toBeUndefined();
  });
});

describe('a blocked day', () => {
  it('stays blocked while something is missing', () => {
    expect(concluded(blocked, findings({ missing: tally('t1') })).day.status).toBe('blocked');
  });

  it('is balanced once nothing is', () => {
    const { day: result } = concluded(blocked, findings());
    expect(result.status).toBe('balanced');
    expect(result).not.toHaveProperty('ratesMissing');
  });
});

describe('sending', () => {
  it('of everything fixes when to send again: the horizon after the run’s end', () => {
    const { day: result } = concluded(sealed, findings({ missing: tally('t1'), sent: 1 }), {
      plan: all,
      startedAt: after(60),
      endedAt: after(70),
    });
    expect(result).toMatchObject({
      sending: {
        sentFrom: after(60).toISOString(),
        allSentFrom: after(60).toISOString(),
        resendAt: after(70 + 960).toISOString(),
      },
    });
  });

  it('of the unseen only leaves the horizon where it was', () => {
    const before = {
      ...sealed,
      sending: {
        sentFrom: after(10).toISOString(),
        allSentFrom: after(10).toISOString(),
        resendAt: after(980).toISOString(),
      },
    };
    const { day: result } = concluded(before, findings({ missing: tally('t1'), sent: 1 }), { plan: unseen });
    expect(result).toMatchObject({
      ...before,
      sending: { ...before.sending, sentFrom: after(60).toISOString() },
      totals: agreed,
      asOf: after(62).toISOString(),
    });
  });

  it('of nothing changes neither', () => {
    const { day: result } = concluded(sealed, findings({ missing: tally('t1') }), { plan: all });
    expect(result.sending).toBeUndefined();
  });
});

describe('a break', () => {
  const sent = {
    ...sealed,
    sending: {
      sentFrom: after(10).toISOString(),
      allSentFrom: after(10).toISOString(),
      resendAt: after(980).toISOString(),
    },
  };

  const overdueAt = (of: BusinessDay, seconds: number, changes: Partial<RunStart> = {}) =>
    overdueBefore(of, startAt('schedule', after(seconds), changes), settings);

  it('is what was staged before the send, and is still missing at the horizon', () => {
    expect(overdueAt(sent, 979.999)).toBeUndefined();
    expect(overdueAt(sent, 980)).toBe(after(10).toISOString());
  });

  it('is none while messages wait, or the day waits for rates, and one when nothing moves', () => {
    expect(overdueAt(sent, 980, { waiting: 50_000 })).toBeUndefined();
    expect(overdueAt({ ...blocked, sending: sent.sending }, 980)).toBeUndefined();
    const still = { ...sent, progress: { missing: 9, waiting: 50_000, since: after(10).toISOString() } };
    expect(overdueAt(still, 980, { waiting: 49_999 })).toBe(after(10).toISOString());
  });

  it('stays one when all has been sent again', () => {
    const { day: result } = concluded(
      sent,
      findings({ missing: tally('t1'), overdue: tally('t1'), sent: 1 }),
      {
        startedAt: after(980),
        plan: all,
      },
    );
    expect(result).toMatchObject({
      overdueBefore: after(10).toISOString(),
      sending: { allSentFrom: after(980).toISOString() },
      breaks: [{ kind: 'unsettled', subject: '2026-03-10', count: 1, ids: ['t1'] }],
    });
    expect(overdueAt(result, 990)).toBe(after(10).toISOString());
  });

  it('goes when what was missing is there', () => {
    const broken = {
      ...sent,
      breaks: [{ kind: 'unsettled' as const, subject: '2026-03-10', count: 1, ids: ['t1'] }],
    };
    expect(concluded(broken, findings()).day.breaks).toEqual([]);
  });

  it('is what the ledger has and nobody staged', () => {
    const { day: result } = concluded(sealed, findings({ unstaged: { count: 250, ids: ['t1', 't2'] } }));
    expect(result.breaks).toEqual([
      { kind: 'unstaged', subject: '2026-03-10', count: 250, ids: ['t1', 't2'] },
    ]);
  });

  it('is a transaction about which the books differ', () => {
    const { day: result } = concluded(sealed, findings({ mismatched: tally('t1') }));
    expect(result.breaks).toEqual([{ kind: 'mismatched', subject: '2026-03-10', count: 1, ids: ['t1'] }]);
  });
});

describe('a straggler', () => {
  const reopened = concluded(balanced, findings({ missing: tally('t9'), sent: 1 }), {
    startedAt: after(90_000),
    plan: all,
  });

  it('reopens a balanced day as sealed, with a break and the next revision', () => {
    expect(reopened.day.status).toBe('sealed');
    expect(reopened.day).toMatchObject({
      revision: 2,
      seal: { at: CUT_OFF },
      breaks: [{ kind: 'straggler', subject: '2026-03-10', count: 1, ids: ['t9'] }],
    });
    expect(reopened.next).toBeDefined();
  });

  it('that a run sent, and died before it wrote that down, reopens the day all the same', () => {
    const more = { count: 5, amount: 1900n };
    const totals = { USD: { staged: more, settled: more, held: none, reversed: none, rejected: none } };
    const settledMeanwhile = concluded(balanced, findings({ totals }), { startedAt: after(90_000) });
    expect(settledMeanwhile.day.status).toBe('sealed');
    expect(settledMeanwhile.day).toMatchObject({ revision: 2, breaks: [{ kind: 'straggler', count: 2 }] });
    expect(settledMeanwhile.next).toEqual({ delaySeconds: 12, attempt: 1 });
    const done = concluded(settledMeanwhile.day, findings({ totals }), { startedAt: after(90_020) });
    expect(done.day.status).toBe('balanced');
  });

  it('that is a release shows by what it moved: it stages nothing', () => {
    const held = { count: 1, amount: 500n };
    const before = { staged: held, settled: none, held, reversed: none, rejected: none };
    const day = { ...balanced, totals: { USD: before } };
    const released = { USD: { ...before, settled: held, held: none } };
    const reopened = concluded(day, findings({ totals: released }), { startedAt: after(90_000) });
    expect(reopened.day).toMatchObject({ revision: 2, breaks: [{ kind: 'straggler', count: 1 }] });
    expect(reopened.day.status).toBe('sealed');
    const walkedAgain = concluded(day, findings({ totals: { USD: before } }), { startedAt: after(90_000) });
    expect(walkedAgain.day).toMatchObject({ revision: 1, breaks: [] });
  });

  it('is told once, and stays told when the day balances again', () => {
    const again = concluded(reopened.day, findings({ missing: tally('t9') }), { startedAt: after(90_020) });
    expect(again.day).toMatchObject({ revision: 2, breaks: [{ kind: 'straggler' }] });
    expect(again.day.breaks).toHaveLength(1);
    const done = concluded(again.day, findings(), { startedAt: after(90_060) });
    expect(done.day.status).toBe('balanced');
    expect(done.day).toMatchObject({ revision: 2, breaks: [{ kind: 'straggler' }] });
    expect(done.next).toBeUndefined();
  });
});

describe('the next run', () => {
  it('comes after the window and 2 s, doubling up to 15 minutes, while the day is open', () => {
    const delays: number[] = [];
    let attempt = 0;
    for (let run = 0; run < 12; run++) {
      const { next } = concluded(open, findings({ missing: tally('t1') }), {
        startedAt: after(-3600),
        attempt,
      });
      if (next === undefined) throw new Error('the series ended');
      delays.push(next.delaySeconds);
      attempt = next.attempt;
    }
    expect(delays).toEqual([12, 24, 48, 96, 192, 384, 768, 900, 900, 900, 900, 900]);
  });

  it('is left to the schedule once the day has ended, and the wait is as long as the schedule’s', () => {
    const nextAfter = (attempt: number) =>
      concluded(sealed, findings({ missing: tally('t1') }), { attempt }).next?.delaySeconds;
    expect([nextAfter(5), nextAfter(6), nextAfter(7)]).toEqual([384, 768, undefined]);
  });

  it('waits as long as the walk took', () => {
    const slow = concluded(sealed, findings({ missing: tally('t1') }), {
      startedAt: after(60),
      endedAt: after(460),
    });
    expect(slow.next?.delaySeconds).toBe(400);
  });

  it('comes no earlier than the seal’s wait is over', () => {
    const { next } = concluded(sealed, findings({ missing: tally('t1') }), {
      startedAt: after(0),
      endedAt: after(1),
    });
    expect(next).toEqual({ delaySeconds: 29, attempt: 1 });
  });

  it('is never asked for at once, nor later than SQS can', () => {
    const early = concluded(sealed, findings(), { startedAt: after(29.5), endedAt: after(29.9) });
    expect(early.next?.delaySeconds).toBe(1);
    const far = conclude(
      sealed,
      findings(),
      { startedAt: after(1), endedAt: after(2), plan: { sends: all, mayBalance: false }, attempt: 0 },
      { ...settings, sealWaitSeconds: 5000 },
    );
    expect(far.next?.delaySeconds).toBe(900);
    const late = { startedAt: after(-3600), attempt: 1000 };
    expect(concluded(open, findings({ missing: tally('t') }), late).next?.delaySeconds).toBe(900);
  });
});
