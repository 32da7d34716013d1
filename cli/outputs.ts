import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError, errorCode } from './command-error.ts';

const url = v.pipe(
  v.string(),
  v.url(),
  v.transform((text) => text.replace(/\/+$/, '')),
);

const outputsSchema = v.object({
  DuotempoIdentity: v.object({
    TokenUrl: url,
    UserPoolId: v.string(),
    GatewayClientId: v.string(),
    OperatorClientId: v.string(),
    ChatClientId: v.string(),
  }),
  DuotempoCardSettlement: v.object({ ApiUrl: url }),
  DuotempoChat: v.object({ ApiUrl: url, WebSocketUrl: url }),
  DuotempoLocal: v.optional(v.object({ AwsEndpoint: url })),
});

/** The part of a deployment's outputs that the commands need; urls carry no trailing slash. */
export type Outputs = v.InferOutput<typeof outputsSchema>;

const howToGetOutputs =
  'Run npm start in another terminal, or npm run deploy for AWS, or name the file with --outputs.';

/** Reads the outputs of a deployment, local or on AWS: `npm start` and `cdk deploy --outputs-file` write the same shape. */
export async function readOutputs(file: string): Promise<Outputs> {
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw new CommandError(`${file} cannot be read.`, { cause: error });
    throw new CommandError(`There is no ${path.basename(file)}: nothing is running or deployed yet.`, {
      hint: howToGetOutputs,
      cause: error,
    });
  }
  return parseOutputs(text, file);
}

/** @param file only names the culprit in errors */
export function parseOutputs(text: string, file: string): Outputs {
  const parsed = v.safeParse(outputsSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const place = v.getDotPath(issue) ?? 'its content';
  throw new CommandError(
    `${file} is not what a deployment of Duotempo writes: ${place} is missing or wrong.`,
    {
      hint: howToGetOutputs,
    },
  );
}

/** Whether the file tells of a deployment on AWS, which a local host must not overwrite. */
export async function tellsOfAws(file: string): Promise<boolean> {
  return (await deploymentOf(file)) === 'aws';
}

/** Whether the file was written by a local host. */
export async function tellsOfLocalHost(file: string): Promise<boolean> {
  return (await deploymentOf(file)) === 'local';
}

async function deploymentOf(file: string): Promise<'aws' | 'local' | undefined> {
  const content = parseJson(await readFile(file, 'utf8').catch(() => ''));
  if (!v.is(v.looseObject({ DuotempoIdentity: v.unknown() }), content)) return undefined;
  return 'DuotempoLocal' in content ? 'local' : 'aws';
}

/** Writes a file so that a reader sees the old or the new one, never half of either. */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw new CommandError(`${file} cannot be written (${errorCode(error) ?? 'unknown error'}).`, {
      cause: error,
    });
  }
}

/** Removes the file if it still reads as we wrote it: another host may have taken it over. */
export async function removeIfOurs(file: string, text: string): Promise<void> {
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current === text) await unlink(file).catch(() => undefined);
}

/** @returns undefined for anything that is no JSON, which no schema here accepts */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
