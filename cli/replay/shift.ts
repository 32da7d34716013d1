import { createHash } from 'node:crypto';
import * as v from 'valibot';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
} from '../../lambda/card-settlement/domain/business-date.ts';
import { CommandError } from '../shared/command-error.ts';
import { jsonText, parseJson, readText, writeAtomically } from '../shared/files.ts';
import type { Outputs } from '../shared/outputs.ts';

export const DAY_MILLISECONDS = 86_400_000;

/** To the newest date past its cut-off. A change of the clock may move other dates, but never the last. */
export function daysToShift(last: Date, now: Date, calendar: BusinessCalendar): number {
  const target = addDays(businessDateOf(now, calendar), -1);
  const lastDate = businessDateOf(last, calendar);
  const days = (Date.parse(target) - Date.parse(lastDate)) / DAY_MILLISECONDS;
  const shifted = (by: number): string =>
    businessDateOf(new Date(last.getTime() + by * DAY_MILLISECONDS), calendar);
  // A clock change can move the instant across a cut-off. The date after the target is still open.
  if (shifted(days) > target) return days - 1;
  return shifted(days) < target && shifted(days + 1) <= target ? days + 1 : days;
}

/** The same for the same row and shift. The API takes at most 64 characters. */
export function idempotencyKey(transactionId: string, days: number): string {
  const key = `${transactionId}-${days}`;
  if (/^[A-Za-z0-9_-]{1,64}$/.test(key)) return key;
  return createHash('sha256').update(key).digest('hex');
}

const stateSchema = v.object({
  replays: v.array(
    v.object({
      userPoolId: v.string(),
      apiUrl: v.string(),
      /** SHA-256 of the file, or of what a demo day is made from. */
      file: v.string(),
      /** By how many days the file was moved; a demo day, from 1970-01-01. */
      days: v.pipe(v.number(), v.integer()),
      startedAt: v.string(),
    }),
  ),
});

/** Each start of a local host is a new deployment, so entries pile up. */
const KEPT_REPLAYS = 200;

export function stateFile(outputsFile: string): string {
  return `${outputsFile.replace(/\.json$/, '')}.replays.json`;
}

/**
 * How far this file was moved on this deployment before, else what `choose` gives. That is written down before the
 * first row is sent, so an interrupted replay finishes with the keys that it began with.
 */
export async function recallShift(options: {
  readonly state: string;
  readonly outputs: Outputs;
  readonly file: string;
  readonly now: Date;
  readonly choose: () => number | Promise<number>;
}): Promise<number> {
  const { state, outputs, file, now, choose } = options;
  const userPoolId = outputs.DuotempoIdentity.UserPoolId;
  const apiUrl = outputs.DuotempoCardSettlement.ApiUrl;
  const parsed = v.safeParse(stateSchema, parseJson((await readText(state)) ?? '{"replays":[]}'));
  if (!parsed.success) {
    throw new CommandError(`${state} is damaged: it remembers by how many days replays were shifted.`, {
      hint: 'Put it right or remove it; without it, an interrupted replay cannot be finished with the same keys.',
    });
  }
  const { replays } = parsed.output;
  const known = replays.find(
    (replay) => replay.userPoolId === userPoolId && replay.apiUrl === apiUrl && replay.file === file,
  );
  if (known !== undefined) return known.days;
  const days = await choose();
  const added = { userPoolId, apiUrl, file, days, startedAt: now.toISOString() };
  await writeAtomically(state, jsonText({ replays: [...replays, added].slice(-KEPT_REPLAYS) }));
  return days;
}
