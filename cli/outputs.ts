import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { type DeployableStage, deployableStages, stackNameOf } from '../lib/stage-names.ts';
import { CommandError, errorCode } from './command-error.ts';
import type { CommandContext } from './command-line.ts';

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
  DuotempoCardSettlement: v.objectWithRest({ ApiUrl: url }, v.string()),
  DuotempoChat: v.objectWithRest({ ApiUrl: url, WebSocketUrl: url }, v.string()),
  DuotempoLocal: v.optional(v.object({ AwsEndpoint: url })),
});

/** The outputs of one stage, by the names that sandbox's stacks have; urls carry no trailing slash. */
export type Outputs = v.InferOutput<typeof outputsSchema>;

/** How a command line says which deployment it is about. */
export interface DeploymentOptions {
  /** The file, relative to where the user stands. */
  readonly outputs?: string;
  readonly stage?: DeployableStage;
}

/** A deployment, local or on AWS. */
export interface Deployment {
  /** The absolute path of the file that tells of it. */
  readonly file: string;
  readonly stage: DeployableStage;
  readonly outputs: Outputs;
}

const howToGetOutputs =
  'Run npm start in another terminal, or npm run deploy for AWS, or name the file with --outputs.';

/**
 * The deployment that a command is about: of the file that is named, else of the one in the project's folder.
 *
 * @throws CommandError if there is none, or if it takes `--outputs` or `--stage` to say which
 */
export async function findDeployment(
  options: DeploymentOptions,
  context: CommandContext,
): Promise<Deployment> {
  const file =
    options.outputs === undefined
      ? await outputsOfProject(context.projectFolder)
      : path.resolve(context.workingFolder, options.outputs);
  const text = await readOutputsText(file);
  const outputs = parseOutputs(text, file, options.stage);
  return { file, outputs, stage: options.stage ?? stagesIn(parseJson(text))[0] ?? 'sandbox' };
}

/** `outputs.json`, unless a host on another port wrote one of its own: of several, those that answer count. */
async function outputsOfProject(folder: string): Promise<string> {
  const usual = path.join(folder, 'outputs.json');
  const files = (await readdir(folder))
    .filter((name) => /^outputs(-\d+)?\.json$/.test(name))
    .map((name) => path.join(folder, name));
  if (files.length < 2) return files[0] ?? usual;
  const answers = await Promise.all(
    files.map(async (file) => (await deploymentOf(file)) === 'aws' || isAlive(file)),
  );
  const alive = files.filter((_, index) => answers[index] === true);
  if (alive.length < 2) return alive[0] ?? usual;
  const places = await Promise.all(
    alive.map(async (file) => `  ${path.basename(file)} of ${await placeOf(file)}`),
  );
  throw new CommandError(`There is more than one system:\n${places.join('\n')}`, {
    hint: 'Say which one with --outputs <file>.',
    exitCode: 2,
  });
}

/** The outputs of a deployment: `npm start` and `npm run deploy` write the same shape. */
async function readOutputsText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw new CommandError(`${file} cannot be read.`, { cause: error });
    throw new CommandError(`There is no ${path.basename(file)}: nothing is running or deployed yet.`, {
      hint: howToGetOutputs,
      cause: error,
    });
  }
}

/**
 * @param file only names the culprit in errors
 * @param stage may be left out where there is only one
 */
export function parseOutputs(text: string, file: string, stage?: DeployableStage): Outputs {
  const content = parseJson(text);
  const stages = stagesIn(content);
  if (stage === undefined && stages.length > 1) {
    throw new CommandError(`${file} tells of ${stages.join(' and ')}.`, {
      hint: 'Say which one with --stage <stage>.',
      exitCode: 2,
    });
  }
  const chosen = stage ?? stages[0] ?? 'sandbox';
  if (stages.length > 0 && !stages.includes(chosen)) {
    throw new CommandError(`${file} tells of ${stages.join(' and ')}, not of ${chosen}.`, {
      hint: `Run npm run deploy -- --stage ${chosen} first, or name another file with --outputs.`,
    });
  }
  const stack = (part: 'Identity' | 'CardSettlement' | 'Chat'): unknown =>
    isRecord(content) ? content[stackNameOf(chosen, part)] : undefined;
  const parsed = v.safeParse(
    outputsSchema,
    isRecord(content) && {
      DuotempoIdentity: stack('Identity'),
      DuotempoCardSettlement: stack('CardSettlement'),
      DuotempoChat: stack('Chat'),
      DuotempoLocal: content['DuotempoLocal'],
    },
  );
  if (parsed.success) return parsed.output;
  const place = v
    .getDotPath(parsed.issues[0])
    ?.replace(/^Duotempo(Identity|CardSettlement|Chat)/, (_, part: 'Identity' | 'CardSettlement' | 'Chat') =>
      stackNameOf(chosen, part),
    );
  throw new CommandError(
    `${file} is not what a deployment of Duotempo writes: ${place ?? 'its content'} is missing or wrong.`,
    { hint: howToGetOutputs },
  );
}

/** The stages that a file tells of. */
export function stagesIn(content: unknown): DeployableStage[] {
  return deployableStages.filter((stage) => isRecord(content) && stackNameOf(stage, 'Identity') in content);
}

/** Says whether a deployment on AWS or a local host wrote the file; undefined if neither did. */
export async function deploymentOf(file: string): Promise<'aws' | 'local' | undefined> {
  const content = parseJson(await readFile(file, 'utf8').catch(() => ''));
  if (!isRecord(content) || stagesIn(content).length === 0) return undefined;
  return 'DuotempoLocal' in content ? 'local' : 'aws';
}

/** Whether the local host that wrote the file still runs. Its user pool identifies it, even if another host took its port. */
export async function isAlive(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [stage] = stagesIn(parseJson(text));
  if (stage === undefined) return false;
  const { DuotempoLocal: local, DuotempoIdentity: identity } = parseOutputs(text, file, stage);
  if (local === undefined) return false;
  return fetch(local.AwsEndpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.DescribeUserPoolClient',
    },
    body: JSON.stringify({ UserPoolId: identity.UserPoolId, ClientId: identity.ChatClientId }),
    signal: AbortSignal.timeout(1000),
  }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function placeOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const { DuotempoLocal: local, DuotempoCardSettlement: card } = parseOutputs(
    text,
    file,
    stagesIn(parseJson(text))[0],
  );
  return local === undefined ? 'AWS' : new URL(card.ApiUrl).origin;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
