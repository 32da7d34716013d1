import { lstat, mkdir, readFile, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as v from 'valibot';
import type { Stage } from '../../lib/config.ts';
import { CommandError, errorCode } from '../shared/command-error.ts';
import { jsonText, parseJson, readText, unwritable, writeAtomically } from '../shared/files.ts';
import { deploymentOf, isAlive } from '../shared/outputs.ts';
import { samVariablesFile, type SamVariables } from './sam-variables.ts';

export interface HostFiles {
  readonly outputs: string;
  readonly remove: () => Promise<void>;
}

/** The file must be absent, or left behind by a local host. @returns whether it belongs to a host that runs */
export async function checkHostFile(file: string): Promise<boolean> {
  const found = await lstat(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unwritable(file, error);
  });
  if (found === undefined) {
    const folder = path.dirname(file);
    if ((await lstat(folder).catch(() => undefined)) !== undefined) return false;
    throw new CommandError(`${file} cannot be written: there is no folder ${folder}.`);
  }
  if (!found.isFile()) {
    throw new CommandError(`${file} is no ordinary file: outputs are not written there.`, {
      hint: 'Name a file that is not there yet with --outputs.',
    });
  }
  const deployment = await deploymentOf(file);
  if (deployment === 'aws') {
    throw new CommandError(`${file} tells of a deployment on AWS, and would be overwritten.`, {
      hint: 'Name another file with --outputs, here and for the other commands; npm run destroy removes it with what it tells of.',
    });
  }
  if (deployment === undefined) {
    throw new CommandError(`${file} is not the outputs of a local host, and would be overwritten.`, {
      hint: 'Name a file that is not there yet with --outputs.',
    });
  }
  return isAlive(file);
}

/** The outputs come last: everything is ready once they appear. Beside another host, an unnamed file gets the port. */
export async function writeHostFiles(options: {
  readonly named: string | undefined;
  readonly projectFolder: string;
  readonly port: string;
  readonly outputs: object;
  readonly variables: ReadonlyMap<Stage, SamVariables>;
}): Promise<HostFiles> {
  const { named, projectFolder, port, outputs, variables } = options;
  const usual = path.join(projectFolder, 'outputs.json');
  const candidates =
    named === undefined ? [usual, path.join(projectFolder, `outputs-${port}.json`)] : [named];
  for (const file of candidates) {
    const samFiles = [...variables].map(([stage, content]): [string, string] => [
      samVariablesFile(file, variables.size > 1 ? stage : undefined),
      jsonText(content),
    ]);
    const texts = new Map([...samFiles, [file, jsonText(outputs)]]);
    const isWritten = await withLock(file, async () => {
      if (await checkHostFile(file)) return false;
      for (const [place] of samFiles) await checkSamVariables(place);
      for (const [place, text] of texts) await writeAtomically(place, text);
      return true;
    });
    if (!isWritten) continue;
    return {
      outputs: file,
      remove: async () => {
        await Promise.all([...texts].map(async ([place, text]) => removeIfOurs(place, text)));
      },
    };
  }
  throw new CommandError(`${candidates.join(' and ')} are those of hosts that run.`, {
    hint: 'Stop one of them, or name a file that is not there yet with --outputs.',
  });
}

/** Another host may have taken the file over. */
export async function removeIfOurs(file: string, text: string): Promise<void> {
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current === text) await unlink(file).catch(() => undefined);
}

const LOCK_PAUSE_MILLISECONDS = 50;
/** Checking a file takes at most a second. */
const LONGEST_LOCK_MILLISECONDS = 5000;

/** One host at a time checks and writes a file. A lock that a killed host left is broken. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  for (let attempts = 0; ; attempts += 1) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw unwritable(file, error);
      if (attempts * LOCK_PAUSE_MILLISECONDS < LONGEST_LOCK_MILLISECONDS) await wait(LOCK_PAUSE_MILLISECONDS);
      else await rmdir(lock).catch(() => undefined);
    }
  }
  try {
    return await work();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}

const samVariablesSchema = v.record(v.string(), v.looseObject({ AWS_ENDPOINT_URL: v.string() }));

async function checkSamVariables(file: string): Promise<void> {
  if (v.is(samVariablesSchema, parseJson((await readText(file)) ?? '{}'))) return;
  throw new CommandError(`${file} is not what npm start writes for SAM, and would be overwritten.`, {
    hint: 'Move it away, or name another folder with --outputs.',
  });
}
