import { unlink } from 'node:fs/promises';
import { stackNameOf, type DeployableStage } from '../../lib/stage-names.ts';
import { CommandError } from '../shared/command-error.ts';
import { jsonText, parseJson, readText, writeAtomically } from '../shared/files.ts';
import { stagesIn } from '../shared/outputs.ts';

type Content = Readonly<Record<string, unknown>>;

/** Empty if there is no file. @throws CommandError for any other file */
export async function awsOutputsOf(file: string): Promise<Content> {
  const text = await readText(file);
  if (text === undefined) return {};
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

export async function keepOutputs(file: string, stage: DeployableStage, text: string): Promise<void> {
  const others = without(await awsOutputsOf(file), stage);
  await writeAtomically(file, jsonText({ ...others, ...Object(parseJson(text)) }));
}

export async function dropOutputs(file: string, stage: DeployableStage): Promise<void> {
  const content = await awsOutputsOf(file);
  const kept = without(content, stage);
  if (Object.keys(kept).length === Object.keys(content).length) return;
  if (stagesIn(kept).length === 0) await unlink(file);
  else await writeAtomically(file, jsonText(kept));
}

function without(content: Content, stage: DeployableStage): Content {
  const stacks = (['Identity', 'CardSettlement', 'Chat'] as const).map((part) => stackNameOf(stage, part));
  return Object.fromEntries(Object.entries(content).filter(([name]) => !stacks.includes(name)));
}
