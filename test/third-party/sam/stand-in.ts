import { readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Answer } from './story.ts';

/** What `sam local invoke` reads of a template and of the file of `--env-vars`. */
export interface SamFunction {
  readonly Type: string;
  readonly Properties: {
    readonly Timeout: number;
    readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  };
  readonly Metadata: Readonly<Record<string, unknown>>;
}

export type Variables = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function functionsOf(templateFile: string): Map<string, SamFunction> {
  const { Resources } = JSON.parse(readFileSync(templateFile, 'utf8')) as {
    Resources: Record<string, SamFunction>;
  };
  return new Map(Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function'));
}

/**
 * The variables that a container gets, by the rules of `EnvironmentVariables` in the AWS SAM CLI: credentials of nobody,
 * and of the template's variables, and only those, the values of the file, else the template's own; what is no text
 * becomes empty.
 */
export function environmentOf(
  logicalId: string,
  { Properties }: SamFunction,
  file: Variables,
): Record<string, string> {
  const declared = Object.entries(Properties.Environment?.Variables ?? {}).map(([name, value]) => [
    name,
    file[logicalId]?.[name] ?? (typeof value === 'string' ? value : ''),
  ]);
  return {
    AWS_SAM_LOCAL: 'true',
    AWS_LAMBDA_FUNCTION_NAME: logicalId,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'defaultkey',
    AWS_SECRET_ACCESS_KEY: 'defaultsecret',
    AWS_SESSION_TOKEN: 'the token of whoever is signed in',
    ...Object.fromEntries(declared),
    // A container has no home.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/** Invokes a function's bundle as a container would, but on this machine's Node.js. */
export async function invokeInThread(
  templateFolder: string,
  { Properties, Metadata }: SamFunction,
  environment: Record<string, string>,
  event: unknown,
): Promise<Answer> {
  const worker = new Worker(join(import.meta.dirname, 'fixtures', 'container.mjs'), {
    env: environment,
    // What the function logs is not for the screen.
    stdout: true,
    stderr: true,
    workerData: {
      codeFolder: join(templateFolder, String(Metadata['aws:asset:path'])),
      timeoutSeconds: Properties.Timeout,
      event,
    },
  });
  try {
    return await new Promise<Answer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (exitCode) => reject(new Error(`The function ended with ${exitCode}.`)));
    });
  } finally {
    await worker.terminate();
  }
}
