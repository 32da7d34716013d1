import { devNull } from 'node:os';
import * as v from 'valibot';
import { stackNameOf } from '../../lib/stage-names.ts';
import { CommandError, usageError } from '../shared/command-error.ts';
import { localStages } from '../shared/command.ts';
import { parseJson, readText } from '../shared/files.ts';
import type { Deployment } from '../shared/outputs.ts';
import type { WorkerName } from '../shared/workers.ts';
import { samVariablesFile } from '../start/sam-variables.ts';

const variablesSchema = v.record(v.string(), v.string());
const samSchema = v.record(v.string(), variablesSchema);

/** Or the SDK would prefer the profile of the person at the keyboard to the role. */
const NOBODYS_PROFILE = {
  AWS_PROFILE: '',
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
};

type Variables = Readonly<Record<string, string>>;

/** What the worker's function has in its environment: on a local host also the credentials of its role. */
export async function variablesOf(
  deployment: Deployment,
  worker: WorkerName,
  functionName: string,
  envFile: string | undefined,
): Promise<Variables> {
  const local = deployment.outputs.DuotempoLocal;
  if (envFile !== undefined) return readVariables(envFile);
  if (local !== undefined) return localVariables(deployment, worker, local.AwsEndpoint);
  throw usageError(
    'On AWS, the worker needs the variables of the function: name their file with --env-file. To write it:',
    `aws lambda get-function-configuration --function-name ${functionName} --query Environment.Variables --output json > worker-env.json`,
  );
}

async function readVariables(file: string): Promise<Variables> {
  const parsed = v.safeParse(variablesSchema, parseJson((await readText(file)) ?? ''));
  if (parsed.success) return parsed.output;
  throw usageError(
    `${file} is not a JSON object of texts, such as the AWS CLI prints for Environment.Variables.`,
  );
}

/** From what `npm start` wrote for containers, which know this machine by another name. */
async function localVariables(
  { file, stage }: Deployment,
  worker: WorkerName,
  awsEndpoint: string,
): Promise<Variables> {
  // Only a host of several stages names them.
  const stages = localStages.filter((each) => stackNameOf(each, 'Chat') === stackNameOf(stage, 'Chat'));
  for (const candidate of [...stages, undefined]) {
    const text = await readText(samVariablesFile(file, candidate));
    const parsed = v.safeParse(samSchema, parseJson(text ?? ''));
    const functions = parsed.success ? Object.entries(parsed.output) : [];
    const found = functions.find(([logicalId]) => logicalId.startsWith(`${worker}Worker`))?.[1];
    if (found === undefined) continue;
    const { AWS_ENDPOINT_URL: seenFromContainer = '', ...rest } = found;
    const here = Object.entries(rest).map(([name, value]) => [
      name,
      value.replaceAll(seenFromContainer, awsEndpoint),
    ]);
    return { ...Object.fromEntries(here), AWS_ENDPOINT_URL: awsEndpoint, ...NOBODYS_PROFILE };
  }
  throw new CommandError(`${samVariablesFile(file)} is missing, which npm start writes beside ${file}.`, {
    hint: 'Start the host again, or name the file of the variables with --env-file.',
  });
}
