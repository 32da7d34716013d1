import { setTimeout as wait } from 'node:timers/promises';

/** @returns false if the condition does not hold in time */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { seconds, everyMilliseconds = 50 }: { readonly seconds: number; readonly everyMilliseconds?: number },
): Promise<boolean> {
  const deadline = performance.now() + 1000 * seconds;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await wait(everyMilliseconds);
  }
  return true;
}
