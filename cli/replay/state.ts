import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { CommandError, errorCode } from '../command-error.ts';
import { type Outputs, parseJson, writeAtomically } from '../outputs.ts';

const replaySchema = v.object({
  /** The deployment that the file was played to: another one has not seen its transactions. */
  userPoolId: v.string(),
  apiUrl: v.string(),
  /** SHA-256 of the file; of a demo day, of what it is made from. */
  file: v.string(),
  /** By how many days it was moved; a demo day, from 1970-01-01. */
  days: v.pipe(v.number(), v.integer()),
  /** When it was first played, RFC 3339. */
  startedAt: v.string(),
});
const stateSchema = v.object({ replays: v.array(replaySchema) });

export type Replay = v.InferOutput<typeof replaySchema>;

/** A local host is a new deployment at every start, so old entries pile up; nobody comes back to those. */
const keptReplays = 200;

/** The file beside the outputs in which replays are remembered. */
export function stateFile(outputsFile: string): string {
  return `${outputsFile.replace(/\.json$/, '')}.replays.json`;
}

/**
 * The shift with which this file was played to this deployment before, else the one that `choose` gives, which is
 * remembered before the first row is sent: an interrupted replay finishes with the keys that it began with.
 */
export async function recallShift(options: {
  readonly state: string;
  readonly outputs: Outputs;
  /** SHA-256 of the file. */
  readonly file: string;
  readonly now: Date;
  readonly choose: () => number | Promise<number>;
}): Promise<Replay> {
  const { state, outputs, file, now, choose } = options;
  const userPoolId = outputs.DuotempoIdentity.UserPoolId;
  const apiUrl = outputs.DuotempoCardSettlement.ApiUrl;
  const replays = await readState(state);
  const known = replays.find(
    (replay) => replay.userPoolId === userPoolId && replay.apiUrl === apiUrl && replay.file === file,
  );
  if (known !== undefined) return known;
  const added = { userPoolId, apiUrl, file, days: await choose(), startedAt: now.toISOString() };
  const kept = [...replays, added].slice(-keptReplays);
  await writeAtomically(state, `${JSON.stringify({ replays: kept }, undefined, 2)}\n`);
  return added;
}

async function readState(state: string): Promise<Replay[]> {
  const text = await readFile(state, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '{"replays":[]}';
    throw new CommandError(`${state} cannot be read.`, { cause: error });
  });
  const parsed = v.safeParse(stateSchema, parseJson(text));
  if (parsed.success) return parsed.output.replays;
  throw new CommandError(`${state} is damaged: it remembers by how many days replays were shifted.`, {
    hint: 'Put it right or remove it; without it, an interrupted replay cannot be finished with the same keys.',
  });
}
