import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { deployableStages, stackNameOf, type DeployableStage } from '../../lib/stage-names.ts';
import type { LocalHost } from '../../local/index.ts';
import { CommandError, usageError } from './command-error.ts';
import type { CommandContext } from './command.ts';
import { parseJson, readText } from './files.ts';
import { adoptHostClock } from './host-clock.ts';

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

/** One stage's outputs, under the stack names of sandbox; urls have no trailing slash. */
export type Outputs = v.InferOutput<typeof outputsSchema>;

export interface DeploymentOptions {
  readonly outputs?: string;
  readonly stage?: DeployableStage;
}

export interface Deployment {
  readonly file: string;
  readonly stage: DeployableStage;
  readonly outputs: Outputs;
}

const HOW_TO_GET_OUTPUTS =
  'Run npm start in another terminal, or npm run deploy for AWS, or name the file with --outputs.';

/** @throws CommandError if there is no deployment, or if `--outputs` or `--stage` must say which one */
export async function findDeployment(
  { outputs: named, stage }: DeploymentOptions,
  { projectFolder, workingFolder }: CommandContext,
): Promise<Deployment> {
  const file =
    named === undefined ? await outputsOfProject(projectFolder) : path.resolve(workingFolder, named);
  const text = await readText(file);
  if (text === undefined) {
    throw new CommandError(`There is no ${path.basename(file)}: nothing is running or deployed yet.`, {
      hint: HOW_TO_GET_OUTPUTS,
    });
  }
  const content = parseJson(text);
  const outputs = outputsIn(content, file, stage);
  await adoptHostClock(outputs);
  return { file, outputs, stage: chosenStage(content, file, stage) };
}

/** `outputs.json`, or that of a host on another port. If there are several, only those of running systems count. */
async function outputsOfProject(folder: string): Promise<string> {
  const usual = path.join(folder, 'outputs.json');
  const files = (await readdir(folder))
    .filter((name) => /^outputs(-\d+)?\.json$/.test(name))
    .map((name) => path.join(folder, name));
  if (files.length < 2) return files[0] ?? usual;
  const places = await Promise.all(files.map(async (file) => ({ file, place: await placeOf(file) })));
  const running = places.filter(({ place }) => place !== undefined);
  if (running.length < 2) return running[0]?.file ?? usual;
  const list = running.map(({ file, place }) => `  ${path.basename(file)} of ${place}`);
  throw usageError(
    `There is more than one system:\n${list.join('\n')}`,
    'Say which one with --outputs <file>.',
  );
}

/** @returns undefined for a local host that no longer runs */
async function placeOf(file: string): Promise<string | undefined> {
  if ((await deploymentOf(file)) === 'aws') return 'AWS';
  if (!(await isAlive(file))) return undefined;
  const content = await contentOf(file);
  const [stage] = stagesIn(content);
  return new URL(outputsIn(content, file, stage).DuotempoCardSettlement.ApiUrl).origin;
}

export function outputsOf(
  host: Pick<LocalHost, 'outputs' | 'awsEndpoint'>,
  stage?: DeployableStage,
): Outputs {
  return outputsIn(hostOutputs(host), 'What the app was synthesized to', stage);
}

/** What `cdk deploy --outputs-file` writes, and the AWS endpoint. */
export function hostOutputs({ outputs, awsEndpoint }: Pick<LocalHost, 'outputs' | 'awsEndpoint'>): object {
  return { ...outputs, DuotempoLocal: { AwsEndpoint: awsEndpoint } };
}

export function outputsIn(content: unknown, file: string, stage?: DeployableStage): Outputs {
  const chosen = chosenStage(content, file, stage);
  const stacks = isRecord(content) ? content : {};
  const parsed = v.safeParse(outputsSchema, {
    DuotempoIdentity: stacks[stackNameOf(chosen, 'Identity')],
    DuotempoCardSettlement: stacks[stackNameOf(chosen, 'CardSettlement')],
    DuotempoChat: stacks[stackNameOf(chosen, 'Chat')],
    DuotempoLocal: stacks['DuotempoLocal'],
  });
  if (parsed.success) return parsed.output;
  const place = v
    .getDotPath(parsed.issues[0])
    ?.replace(/^Duotempo(Identity|CardSettlement|Chat)/, (_, part: 'Identity' | 'CardSettlement' | 'Chat') =>
      stackNameOf(chosen, part),
    );
  throw new CommandError(
    `${file} is not what a deployment of Duotempo writes: ${isRecord(content) ? place : 'its content'} is missing or wrong.`,
    { hint: HOW_TO_GET_OUTPUTS },
  );
}

function chosenStage(content: unknown, file: string, stage: DeployableStage | undefined): DeployableStage {
  const stages = stagesIn(content);
  if (stage === undefined && stages.length > 1)
    throw usageError(`${file} tells of ${stages.join(' and ')}.`, 'Say which one with --stage <stage>.');
  const chosen = stage ?? stages[0] ?? 'sandbox';
  if (stages.length === 0 || stages.includes(chosen)) return chosen;
  throw new CommandError(`${file} tells of ${stages.join(' and ')}, not of ${chosen}.`, {
    hint: `Run npm run deploy -- --stage ${chosen} first, or name another file with --outputs.`,
  });
}

export function stagesIn(content: unknown): DeployableStage[] {
  return deployableStages.filter((stage) => isRecord(content) && stackNameOf(stage, 'Identity') in content);
}

/** Undefined if it is no outputs file. */
export async function deploymentOf(file: string): Promise<'aws' | 'local' | undefined> {
  const content = await contentOf(file);
  if (!isRecord(content) || stagesIn(content).length === 0) return undefined;
  return 'DuotempoLocal' in content ? 'local' : 'aws';
}

/** Another host on the same port has another user pool. */
export async function isAlive(file: string): Promise<boolean> {
  const content = await contentOf(file);
  const [stage] = stagesIn(content);
  if (stage === undefined) return false;
  const { DuotempoLocal: local, DuotempoIdentity: identity } = outputsIn(content, file, stage);
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

async function contentOf(file: string): Promise<unknown> {
  return parseJson(await readFile(file, 'utf8').catch(() => ''));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function awsClientOptions({ DuotempoIdentity: { UserPoolId }, DuotempoLocal: local }: Outputs) {
  return {
    region: UserPoolId.split('_')[0] ?? '',
    ...(local && {
      endpoint: local.AwsEndpoint,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    }),
  };
}
