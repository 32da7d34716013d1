import { describe, expect, test } from '@jest/globals';
import { startSchedule } from '../../../local/scheduler/schedule.ts';
import type { ScheduleOptions } from '../../../local/scheduler/schedule.ts';
import { parseScheduleExpression } from '../../../local/scheduler/schedule-expression.ts';

// Source: Amazon EventBridge Scheduler user guide, "Schedule types" and "Time zones".

const createdAt = new Date('2026-01-01T00:00:00Z');

function occurrences(
  expression: string,
  after: string,
  count: number,
  more: { timeZone?: string; startDate?: Date; endDate?: Date } = {},
): readonly string[] {
  const schedule = parseScheduleExpression({ expression, createdAt, ...more });
  const found: string[] = [];
  let last: Date | undefined = new Date(after);
  while (found.length < count) {
    last = schedule.next(last);
    if (last === undefined) break;
    found.push(last.toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

const newYork = { timeZone: 'America/New_York' };

describe('cron', () => {
  test('counts in UTC where no time zone is named, and an occurrence is after the instant, not at it', () => {
    expect(occurrences('cron(0/15 17 * * ? *)', '2026-03-02T17:15:00Z', 3)).toEqual([
      '2026-03-02T17:30Z',
      '2026-03-02T17:45Z',
      '2026-03-03T17:00Z',
    ]);
  });

  test('keeps the time on the wall over both changes of the clock', () => {
    expect(occurrences('cron(0 17 * * ? *)', '2026-03-07T12:00:00Z', 3, newYork)).toEqual([
      '2026-03-07T22:00Z',
      '2026-03-08T21:00Z', // summer time since 2 a.m.
      '2026-03-09T21:00Z',
    ]);
    expect(occurrences('cron(0 17 * * ? *)', '2026-10-31T12:00:00Z', 2, newYork)).toEqual([
      '2026-10-31T21:00Z',
      '2026-11-01T22:00Z',
    ]);
  });

  test('skips a time that the change to summer time leaves out', () => {
    expect(occurrences('cron(30 2 * * ? *)', '2026-03-07T00:00:00Z', 3, newYork)).toEqual([
      '2026-03-07T07:30Z',
      '2026-03-09T06:30Z', // 2:30 did not exist on the 8th
      '2026-03-10T06:30Z',
    ]);
  });

  test('runs once at a time that comes twice as summer time ends', () => {
    expect(occurrences('cron(30 1 * * ? *)', '2026-10-31T12:00:00Z', 2, newYork)).toEqual([
      '2026-11-01T05:30Z',
      '2026-11-02T06:30Z',
    ]);
  });

  test('goes on through the hour that comes twice', () => {
    expect(occurrences('cron(0/30 * * * ? *)', '2026-11-01T04:59:00Z', 4, newYork)).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T05:30Z',
      '2026-11-01T07:00Z',
      '2026-11-01T07:30Z',
    ]);
  });

  test('knows days of the week, the last day of a month, and the nth weekday', () => {
    expect(occurrences('cron(0 9 ? * MON-FRI *)', '2026-02-27T10:00:00Z', 2)).toEqual([
      '2026-03-02T09:00Z',
      '2026-03-03T09:00Z',
    ]);
    expect(occurrences('cron(0 9 L * ? *)', '2026-02-27T10:00:00Z', 2)).toEqual([
      '2026-02-28T09:00Z',
      '2026-03-31T09:00Z',
    ]);
    expect(occurrences('cron(0 9 ? * 2#1 *)', '2026-02-27T10:00:00Z', 1)).toEqual(['2026-03-02T09:00Z']);
  });

  test('ends with its last year', () => {
    expect(occurrences('cron(0 0 1 1 ? 2027)', '2026-06-01T00:00:00Z', 5)).toEqual(['2027-01-01T00:00Z']);
  });
});

describe('rate', () => {
  test('counts from the creation of the schedule', () => {
    expect(occurrences('rate(15 minutes)', '2026-01-01T00:00:01Z', 2)).toEqual([
      '2026-01-01T00:15Z',
      '2026-01-01T00:30Z',
    ]);
    expect(occurrences('rate(1 hour)', '2026-01-01T00:30:00Z', 1)).toEqual(['2026-01-01T01:00Z']);
  });

  test('begins at its start date and ends with its end date', () => {
    const between = {
      startDate: new Date('2026-02-01T00:07:00Z'),
      endDate: new Date('2026-02-03T00:07:00Z'),
    };
    expect(occurrences('rate(1 day)', '2026-01-01T00:00:00Z', 9, between)).toEqual([
      '2026-02-01T00:07Z',
      '2026-02-02T00:07Z',
      '2026-02-03T00:07Z',
    ]);
  });
});

test('at happens once, in the time zone of the schedule', () => {
  expect(occurrences('at(2026-07-01T09:30:00)', '2026-01-01T00:00:00Z', 5, newYork)).toEqual([
    '2026-07-01T13:30Z',
  ]);
});

test.each([
  ['every day', 'is none of rate(…), cron(…) and at(…)'],
  ['rate(1 minutes)', 'is no rate'],
  ['rate(5 minute)', 'is no rate'],
  ['rate(0 hours)', 'is no rate'],
  ['rate( 10 minutes )', 'is no rate'],
  [' rate(10 minutes)', 'is none of rate(…), cron(…) and at(…)'],
  ['cron(0 9 * * ?)', 'has 5 fields'],
  ['cron(0 9 * * * *)', 'exactly one of day of month and day of week must be ?'],
  ['cron(0 dummy ? * MON-FRI *)', 'dummy is no value of field 2'],
  ['cron(0 9 ? * MON-DUMMY *)', 'MON-DUMMY is no value of field 5'],
  ['cron(0 99 * * ? *)', '99 is not between 0 and 23'],
  ['at(tomorrow)', 'is no at expression'],
])('%s is refused', (expression, reason) => {
  expect(() => parseScheduleExpression({ expression, createdAt })).toThrow(reason);
});

test('a time zone that does not exist is refused', () => {
  expect(() =>
    parseScheduleExpression({ expression: 'cron(0 9 * * ? *)', createdAt, timeZone: 'Mars/Olympus' }),
  ).toThrow('Mars/Olympus');
});

/** Runs a schedule on a clock that jumps to the end of every wait, until nothing is left to wait for. */
async function play(options: Partial<ScheduleOptions> & { readonly times: readonly string[] }) {
  let now = createdAt.getTime();
  const log: string[] = [];
  const at = (): string => new Date(now).toISOString().slice(11, 19);
  const times = options.times.map((time) => new Date(`2026-01-01T${time}Z`));
  const schedule = startSchedule({
    expression: { next: (after) => times.find((time) => time > after) },
    flexibleWindowMinutes: 0,
    maximumRetryAttempts: 2,
    maximumEventAgeSeconds: 60,
    giveUp: (_, attempts) => {
      log.push(`${at()} gave up after ${attempts}`);
      return Promise.resolve();
    },
    now: () => new Date(now),
    random: () => 0.5,
    wait: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
    ...options,
    deliver: async () => {
      log.push(at());
      await options.deliver?.();
    },
  });
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  await schedule.stop();
  return log;
}

test('a schedule calls its target at each occurrence', async () => {
  expect(await play({ times: ['00:15:00', '00:30:00'] })).toEqual(['00:15:00', '00:30:00']);
});

test('a flexible window delays the call to a moment within it', async () => {
  expect(await play({ times: ['00:15:00'], flexibleWindowMinutes: 10 })).toEqual(['00:20:00']);
});

const fail = () => Promise.reject(new Error('no'));

test('a target that fails is called again, and given up after the attempts allowed', async () => {
  expect(await play({ times: ['00:15:00'], deliver: fail })).toEqual([
    '00:15:00',
    '00:15:01',
    '00:15:03',
    '00:15:03 gave up after 3',
  ]);
  expect(await play({ times: ['00:15:00'], deliver: fail, maximumRetryAttempts: 0 })).toEqual([
    '00:15:00',
    '00:15:00 gave up after 1',
  ]);
});

test('an event that has grown too old is given up, whatever attempts are left', async () => {
  const log = await play({
    times: ['00:15:00'],
    deliver: fail,
    maximumRetryAttempts: 185,
  });
  expect(log.at(-1)).toMatch(/gave up after 6$/);
});

test('stopping ends the wait for the next occurrence', async () => {
  const schedule = startSchedule({
    expression: { next: () => new Date(Date.now() + 40 * 86_400_000) },
    flexibleWindowMinutes: 0,
    maximumRetryAttempts: 0,
    maximumEventAgeSeconds: 60,
    deliver: () => Promise.reject(new Error('too early')),
    giveUp: () => Promise.resolve(),
  });
  const startedAt = Date.now();
  await schedule.stop();
  expect(Date.now() - startedAt).toBeLessThan(5000);
});
