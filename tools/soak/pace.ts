import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../harness/random.ts';

/**
 * Begins works at a steady rate until the signal, and resolves when the last has ended. They must not reject.
 *
 * @param atMost works may be under way at once: with slow works the rate falls, and their number does not grow
 */
export async function atRate(
  {
    perSecond,
    atMost,
    signal,
  }: { readonly perSecond: number; readonly atMost: number; readonly signal: AbortSignal },
  work: (number: number) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let dueAt = performance.now();
  for (let number = 0; !signal.aborted; number += 1) {
    await pause(dueAt - performance.now(), signal);
    while (underWay.size >= atMost) await Promise.race(underWay);
    if (signal.aborted) break;
    const begun: Promise<void> = work(number).finally(() => underWay.delete(begun));
    underWay.add(begun);
    // Time that was lost is not made up for: that would be a burst.
    dueAt = Math.max(dueAt + 1000 / perSecond, performance.now());
  }
  await Promise.all(underWay);
}

/** A range of milliseconds. */
export type Pause = readonly [shortest: number, longest: number];

/** Repeats a work until the signal, with a pause before each. It must not reject. */
export async function everySoOften(
  range: Pause,
  { random, signal }: { readonly random: Random; readonly signal: AbortSignal },
  work: () => Promise<void> | void,
): Promise<void> {
  for (;;) {
    await pause(random.whole(...range), signal);
    if (signal.aborted) return;
    await work();
  }
}

/** Waits this long, or until the signal. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
