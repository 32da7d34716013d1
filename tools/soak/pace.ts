import { setTimeout as wait } from 'node:timers/promises';

export interface Pace {
  readonly perSecond: number;
  /** So many works may be under way at once; where they take longer, the rate falls rather than their number grow. */
  readonly atMost: number;
  readonly signal: AbortSignal;
}

/** Begins works at a steady rate until the signal, and resolves when the last has ended. They must not reject. */
export async function atRate(
  { perSecond, atMost, signal }: Pace,
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
    // What was missed while too much was under way is not made up for: that would be a burst.
    dueAt = Math.max(dueAt + 1000 / perSecond, performance.now());
  }
  await Promise.all(underWay);
}

/** Does a work again and again until the signal, with a pause before each. It must not reject. */
export async function everySoOften(
  pauseMilliseconds: () => number,
  signal: AbortSignal,
  work: () => Promise<void> | void,
): Promise<void> {
  for (;;) {
    await pause(pauseMilliseconds(), signal);
    if (signal.aborted) return;
    await work();
  }
}

/** Waits so long, or until the signal. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
}
