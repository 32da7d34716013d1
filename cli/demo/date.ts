import { createHash } from 'node:crypto';
import * as v from 'valibot';
import {
  addDays,
  type BusinessCalendar,
  type BusinessDate,
  businessDateOf,
} from '../../lambda/card-settlement/domain/business-date.ts';
import type { CallApi } from '../api.ts';
import { CommandError } from '../command-error.ts';
import { eachItem } from '../lists.ts';
import type { Outputs } from '../outputs.ts';
import { recallShift } from '../replay/state.ts';

/** So far back a demo day may lie; the API takes transactions of 30 days. */
const datesBack = 28;

const dayMilliseconds = 86_400_000;

/** The newest business date past its cut-off. */
export function newestPastDate(now: Date, calendar: BusinessCalendar): BusinessDate {
  return addDays(businessDateOf(now, calendar), -1);
}

const pageSchema = v.object({
  items: v.array(v.object({ businessDate: v.string(), status: v.string() })),
  cursor: v.optional(v.string()),
});

/**
 * The newest date past its cut-off whose books are still open. On a date that is sealed, all that comes would go to the
 * open one, which is not balanced before its cut-off.
 */
export async function freeDate(call: CallApi, newest: BusinessDate): Promise<BusinessDate> {
  const oldest = addDays(newest, 1 - datesBack);
  const closed = new Set<string>();
  for await (const day of eachItem(call, '/business-days', {}, pageSchema, 'the business days')) {
    if (day.businessDate < oldest) break;
    if (day.status !== 'open') closed.add(day.businessDate);
  }
  const dates = Array.from({ length: datesBack }, (_, back) => addDays(newest, -back));
  const free = dates.find((date) => !closed.has(date));
  if (free !== undefined) return free;
  throw new CommandError(`The books of all ${datesBack} dates before today are closed already.`, {
    hint: 'A local system that is started anew has empty books.',
  });
}

/**
 * The date of this demo day in this deployment: the one that it was played for before, so that it is finished, or played
 * again, with the same transactions; else the one that `choose` gives, which is remembered as replays are.
 */
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
  const chosen = async (): Promise<number> => Date.parse(`${await choose()}T00:00:00Z`) / dayMilliseconds;
  const { days } = await recallShift({ ...where, file, choose: chosen });
  return addDays('1970-01-01', days);
}
