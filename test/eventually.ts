import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until something holds. It looks ever less often: what others bring about needs the processor, too.
 *
 * @param what what is waited for, for the error
 * @throws Error if it does not hold in time
 */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string) = 'what the test waits for',
  timeoutSeconds = 120,
): Promise<void> {
  const startedAt = Date.now();
  while (!(await holds())) {
    const milliseconds = Date.now() - startedAt;
    if (milliseconds > timeoutSeconds * 1000) {
      const missing = typeof what === 'string' ? what : what();
      throw new Error(`After ${timeoutSeconds} s it still is not so: ${missing}.`);
    }
    await pause(Math.min(400, 5 + milliseconds / 8));
  }
}
