import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../harness/random.ts';

/** `work` must not reject. With slow works the rate falls: never more than `atMost` are under way. */
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
    // Lost time is not made up for: that would be a burst.
    dueAt = Math.max(dueAt + 1000 / perSecond, performance.now());
  }
  await Promise.all(underWay);
}

export type Pause = readonly [shortest: number, longest: number];

/** Repeats `work`, which must not reject, until the signal, with a pause before each. */
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

export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
