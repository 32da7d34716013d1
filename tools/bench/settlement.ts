import { setTimeout as wait } from 'node:timers/promises';
import { connectToApi } from '../../cli/shared/api.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import {
  missingCount,
  readBusinessDay,
  requestReconcile,
  stagedCount,
} from '../../cli/shared/business-day.ts';
import type { RunningHost } from './running-host.ts';

export interface SettleResult {
  readonly settled: number;
  readonly perSecond: number;
}

const PATIENCE_SECONDS = 300;

/** Settles what was staged on the open date, and measures from the request to the first pass that misses nothing. */
export async function measureSettlement(host: RunningHost, businessDate: string): Promise<SettleResult> {
  const api = connectToApi(host.outputs, 2);
  try {
    const startedAt = performance.now();
    await requestReconcile(api.as.operator, businessDate);
    for (;;) {
      const seconds = (performance.now() - startedAt) / 1000;
      const day = await readBusinessDay(api.as.operator, businessDate);
      if (day !== undefined && stagedCount(day) > 0 && missingCount(day) === 0) {
        // The pass that found nothing missing began after the last batch was settled, by at most its own wait.
        return { settled: stagedCount(day), perSecond: stagedCount(day) / seconds };
      }
      if (seconds > PATIENCE_SECONDS)
        throw new CommandError(`${businessDate} was not settled in ${PATIENCE_SECONDS} s.`);
      await wait(250);
    }
  } finally {
    api.close();
  }
}
