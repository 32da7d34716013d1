import * as v from 'valibot';
import { CommandError } from '../shared/command-error.ts';
import { jsonText, parseJson, readText, writeAtomically } from '../shared/files.ts';
import type { Outputs } from '../shared/outputs.ts';

const stateSchema = v.object({
  replays: v.array(
    v.object({
      /** These two identify the deployment: another one does not know the transactions. */
      userPoolId: v.string(),
      apiUrl: v.string(),
      /** SHA-256 of the file; of a demo day, of what it is made from. */
      file: v.string(),
      /** By how many days the file was moved; a demo day, from 1970-01-01. */
      days: v.pipe(v.number(), v.integer()),
      /** When it was first played, RFC 3339. */
      startedAt: v.string(),
    }),
  ),
});

/** Each start of a local host is a new deployment, so entries pile up; nobody needs the oldest. */
const KEPT_REPLAYS = 200;

/** The file beside the outputs in which replays are remembered. */
export function stateFile(outputsFile: string): string {
  return `${outputsFile.replace(/\.json$/, '')}.replays.json`;
}

/**
 * By how many days this file was moved when it was played to this deployment before, else what `choose` gives. That is
 * written down before the first row is sent, so an interrupted replay finishes with the keys that it began with.
 */
export async function recallShift(options: {
  readonly state: string;
  readonly outputs: Outputs;
  /** SHA-256 of the file. */
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
