import { readFile, unlink } from 'node:fs/promises';
import { stackNameOf, type DeployableStage } from '../../lib/stage-names.ts';
import { CommandError, errorCode } from '../shared/command-error.ts';
import { parseJson, writeAtomically } from '../shared/files.ts';
import { stagesIn } from '../shared/outputs.ts';

type Content = Readonly<Record<string, unknown>>;

/**
 * What the file tells of AWS; nothing if it is not there.
 *
 * @throws CommandError for a file that is something else, and is not to be overwritten
 */
export async function awsOutputsOf(file: string): Promise<Content> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {};
    throw new CommandError(`${file} cannot be read (${errorCode(error) ?? 'unknown error'}).`, {
      cause: error,
    });
  }
  const content = parseJson(text);
  if (stagesIn(content).length === 0) {
    throw new CommandError(`${file} is not what npm run deploy writes, and would be overwritten.`, {
      hint: 'Name a file that is not there yet with --outputs.',
    });
  }
  const entries = Object.entries(content ?? {});
  if (entries.some(([name]) => name === 'DuotempoLocal')) {
    throw new CommandError(`${file} is of a local host.`, {
      hint: 'Stop npm start first (or remove the file, if none is running), or name another one with --outputs.',
    });
  }
  return Object.fromEntries(entries);
}

/** Puts a stage's outputs into the file, in the place of those that it had, beside those of the other stages. */
export async function keepOutputs(file: string, stage: DeployableStage, text: string): Promise<void> {
  const content = parseJson(text);
  const kept = { ...without(await awsOutputsOf(file), stage), ...Object(content) };
  await writeAtomically(file, `${JSON.stringify(kept, undefined, 2)}\n`);
}

/** Takes a stage's outputs out of the file, and the file away if it has no others. */
export async function dropOutputs(file: string, stage: DeployableStage): Promise<void> {
  const content = await awsOutputsOf(file);
  const kept = without(content, stage);
  if (Object.keys(kept).length === Object.keys(content).length) return;
  if (stagesIn(kept).length === 0) await unlink(file);
  else await writeAtomically(file, `${JSON.stringify(kept, undefined, 2)}\n`);
}

function without(content: Content, stage: DeployableStage): Content {
  const stacks = (['Identity', 'CardSettlement', 'Chat'] as const).map((part) => stackNameOf(stage, part));
  return Object.fromEntries(Object.entries(content).filter(([name]) => !stacks.includes(name)));
}
