import { getEventListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import {
  after,
  aheadMilliseconds,
  joinClock,
  moveClock,
  sleep,
  type Timer,
} from '../../../local/clock/index.ts';

const MINUTE = 60_000;

let leave: (() => void) | undefined;
// The last one to leave sets the clock right.
afterEach(() => leave?.());

const minutesFrom = (start: number): number => Math.round((Date.now() - start) / MINUTE);

test('what is due on the way happens in order, each at its time, and what it starts is waited for', async () => {
  let running = 0;
  leave = joinClock({ isBusy: () => running > 0 });
  const start = Date.now();
  const seen: string[] = [];
  const work = async (name: string, next?: () => void): Promise<void> => {
    running += 1;
    await pause(5);
    seen.push(`${name} at ${minutesFrom(start)}`);
    next?.();
    running -= 1;
  };
  after(20 * MINUTE, () => void work('second', () => after(5 * MINUTE, () => void work('third'))));
  after(10 * MINUTE, () => void work('first'));
  after(40 * MINUTE, () => void work('fourth'));
  const later = after(3 * 60 * MINUTE, () => void work('never'));
  await moveClock(new Date(start + 60 * MINUTE));
  later.cancel();
  expect(seen).toEqual(['first at 10', 'second at 20', 'third at 25', 'fourth at 40']);
  expect(minutesFrom(start)).toBe(60);
});

test('a clock stops where a part of the host says, and passes over polls that would find nothing', async () => {
  const start = Date.now();
  const stops: number[] = [];
  let isUnread = false;
  const dueAt = [30, 45].map((minutes) => start + minutes * MINUTE);
  leave = joinClock({
    nextAt: () => dueAt.find((time) => time > Date.now()),
    moved: () => stops.push(minutesFrom(start)),
  });
  const polls: number[] = [];
  const wait = (): Timer => after(MINUTE, poll, () => !isUnread);
  const poll = (): void => {
    polls.push(minutesFrom(start));
    waiting = wait();
  };
  let waiting = wait();
  after(57 * MINUTE, () => (isUnread = true));
  // Some milliseconds pass at each stop.
  await moveClock(new Date(start + 59.3 * MINUTE));
  waiting.cancel();
  expect(stops).toEqual([30, 45, 57, 58, 59, 59]);
  expect(polls).toEqual([30, 45, 57, 58, 59]);
});

test('two moves at once follow each other, and the time of real waits counts', async () => {
  leave = joinClock({});
  const start = Date.now();
  await Promise.all([
    moveClock(new Date(start + 10 * MINUTE)),
    moveClock(new Date(start + 5 * MINUTE)),
    moveClock(new Date(start + 20 * MINUTE)),
  ]);
  expect(minutesFrom(start)).toBe(20);
  expect(new Date().getTime()).toBeGreaterThanOrEqual(start + 20 * MINUTE);
  expect(new Date(0).toISOString()).toBe('1970-01-01T00:00:00.000Z');
  expect(new Date()).toBeInstanceOf(Date);
  leave();
  leave = undefined;
  expect(aheadMilliseconds()).toBe(0);
  expect(minutesFrom(start)).toBe(0);
});

test('sleeps that are over leave nothing on their signal', async () => {
  leave = joinClock({});
  const { signal } = new AbortController();
  for (const milliseconds of [0, -1, 1]) await sleep(milliseconds, { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a sleep ends at its time, or with its signal', async () => {
  leave = joinClock({});
  const stopping = new AbortController();
  const ended = sleep(MINUTE).then(() => 'over');
  const aborted = sleep(2 * MINUTE, { signal: stopping.signal }).catch((error: unknown) => error);
  await moveClock(new Date(Date.now() + MINUTE));
  expect(await ended).toBe('over');
  stopping.abort('stopped');
  expect(await aborted).toBe('stopped');
  await expect(sleep(MINUTE, { signal: stopping.signal })).rejects.toBe('stopped');
});
