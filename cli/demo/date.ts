import { createHash } from 'node:crypto';
import { addDays, type BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { DAY_MILLISECONDS, recallShift } from '../replay/shift.ts';
import type { CallApi } from '../shared/api.ts';
import { daysSince } from '../shared/business-day.ts';
import { CommandError } from '../shared/command-error.ts';
import type { Outputs } from '../shared/outputs.ts';

/** The API takes transactions of 30 days. */
const DATES_BACK = 28;

/**
 * The newest date past its cut-off whose books are open. Transactions of a sealed date would go to the open date, which
 * is not balanced before its own cut-off.
 */
export async function freeDate(call: CallApi, newest: BusinessDate): Promise<BusinessDate> {
  const days = await daysSince(call, addDays(newest, 1 - DATES_BACK));
  const dates = Array.from({ length: DATES_BACK }, (_, back) => addDays(newest, -back));
  const free = dates.find((date) => (days.get(date)?.status ?? 'open') === 'open');
  if (free !== undefined) return free;
  throw new CommandError(`The books of all ${DATES_BACK} dates before today are closed already.`, {
    hint: 'A local system that is started anew has empty books.',
  });
}

/** The date of an earlier demo of the same day on this deployment, else what `choose` gives. */
export async function recallDate(options: {
  readonly state: string;
  readonly outputs: Outputs;
  readonly seed: number;
  readonly count: number;
  readonly now: Date;
  readonly choose: () => Promise<BusinessDate>;
}): Promise<BusinessDate> {
  const { seed, count, choose, ...where } = options;
  const file = createHash('sha256')
    .update(JSON.stringify(['demo', seed, count]))
    .digest('hex');
  const chosen = async (): Promise<number> => Date.parse(`${await choose()}T00:00:00Z`) / DAY_MILLISECONDS;
  return addDays('1970-01-01', await recallShift({ ...where, file, choose: chosen }));
}
