import type { CallApi } from '../../cli/shared/api.ts';
import {
  missingCount,
  readBusinessDay,
  requestReconcile,
  stagedCount,
} from '../../cli/shared/business-day.ts';
import { CommandError } from '../../cli/shared/command-error.ts';
import { until } from './until.ts';

const PATIENCE_SECONDS = 300;

/**
 * Reconciles a date, and waits until everything that was staged has an outcome.
 * @returns how many transactions the day has
 */
export async function settleDay(
  operator: CallApi,
  date: string,
  sales = 1,
  status?: string,
): Promise<number> {
  await requestReconcile(operator, date);
  let staged = 0;
  const isSettled = await until(
    async () => {
      const day = await readBusinessDay(operator, date);
      if (day === undefined || (status !== undefined && day.status !== status)) return false;
      staged = stagedCount(day);
      return staged >= sales && missingCount(day) === 0;
    },
    { seconds: PATIENCE_SECONDS, everyMilliseconds: 250 },
  );
  if (isSettled) return staged;
  throw new CommandError(`${date} is not settled after ${PATIENCE_SECONDS} s.`);
}
