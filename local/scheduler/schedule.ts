import { sleep } from '../clock/index.ts';
import type { ScheduleExpression } from './schedule-expression.ts';

export interface ScheduleOptions {
  readonly expression: ScheduleExpression;
  /** 0 for exactly at the occurrence. */
  readonly flexibleWindowMinutes: number;
  readonly deliver: () => Promise<void>;
  readonly giveUp: (error: unknown, attempts: number) => Promise<void>;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly now?: () => Date;
  readonly random?: () => number;
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const FIRST_RETRY_MILLISECONDS = 1000;
const LAST_RETRY_MILLISECONDS = 60_000;

export interface RunningSchedule {
  readonly stop: () => Promise<void>;
  /** Delivers once more at once: tests cannot wait for the next occurrence. */
  readonly fire: () => Promise<void>;
}

export function startSchedule(options: ScheduleOptions): RunningSchedule {
  const now = options.now ?? (() => new Date());
  const random = options.random ?? Math.random;
  const wait = options.wait ?? ((milliseconds, signal) => sleep(milliseconds, { signal }));
  const stopping = new AbortController();
  const { signal } = stopping;
  const deliveries = new Set<Promise<void>>();

  const deliver = async (): Promise<void> => {
    const dueAt = now().getTime();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await options.deliver();
      } catch (error) {
        const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** attempt, LAST_RETRY_MILLISECONDS);
        const age = now().getTime() + delay - dueAt;
        if (attempt >= options.maximumRetryAttempts || age > options.maximumEventAgeSeconds * 1000) {
          return await options.giveUp(error, attempt + 1);
        }
        await wait(delay, signal);
      }
    }
  };

  const run = async (): Promise<void> => {
    let last = now();
    for (;;) {
      const next = options.expression.next(last);
      if (next === undefined) return;
      last = next;
      const late = random() * options.flexibleWindowMinutes * 60_000;
      const delivery = async (): Promise<void> => {
        if (late > 0) await wait(late, signal);
        await deliver();
      };
      await wait(Math.max(next.getTime() - now().getTime(), 0), signal);
      const running = delivery()
        .catch(() => undefined)
        .finally(() => deliveries.delete(running));
      deliveries.add(running);
    }
  };

  // Only the signal ends a wait early.
  const running = run().catch(() => undefined);
  return {
    fire: deliver,
    stop: async () => {
      stopping.abort();
      await Promise.all([running, ...deliveries]);
    },
  };
}
