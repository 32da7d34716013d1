import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline/promises';
import type { Command } from 'commander';
import type { DeployableStage } from '../../lib/stage-names.ts';
import { CommandError, usageError } from '../shared/command-error.ts';
import { createCommand, profileOption, stageOption, type CommandContext } from '../shared/command.ts';

export type RunCdk = (context: CommandContext, argv: readonly string[]) => Promise<number>;

export interface CdkOptions {
  readonly stage: DeployableStage;
  readonly yes?: true;
  readonly outputs?: string;
  readonly profile?: string;
}

export function createCdkCommand(
  name: 'deploy' | 'destroy',
  description: string,
  help: { readonly yes: string; readonly outputs: string },
): Command {
  return createCommand(name, `${description} Further arguments go to cdk ${name}.`)
    .addOption(stageOption().default('sandbox'))
    .option('--yes', help.yes)
    .option('--outputs <file>', `${help.outputs} (default: outputs.json of the project)`)
    .addOption(profileOption())
    .argument('[cdk arguments...]')
    .allowUnknownOption();
}

/** Fails early if there seem to be no AWS credentials. */
export const runCdk: RunCdk = async (context, argv) => {
  if (!isEc2Instance() && !seesCredentials(process.env, existsSync)) {
    throw new CommandError('There are no AWS credentials.', {
      hint: 'Sign in with aws configure or aws sso login, or name a profile with --profile; aws sts get-caller-identity shows whether it works. A new account and region also needs npx cdk bootstrap, once.',
    });
  }
  const cdk = path.join(context.projectFolder, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const child = spawn(process.execPath, [cdk, ...argv], { cwd: context.projectFolder, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => resolve(exitCode ?? 1));
  });
};

/** Asks once, instead of cdk. @throws CommandError if the user says no, or cannot be asked */
export async function approve({ yes }: CdkOptions, what: string): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw usageError('There is no terminal to ask on.', `${what} If that is what you want, pass --yes.`);
  const lines = readline.createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`${what}\nGo on? (y/N) `).finally(() => lines.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing is done.');
}

/** @param askNothing is left out if the user typed that option */
export function cdkArguments(
  { stage, profile }: CdkOptions,
  typed: readonly string[],
  askNothing: readonly string[],
): readonly string[] {
  const isTold = typed.some((each) => each.split('=')[0] === askNothing[0]);
  return [
    '--context',
    `stage=${stage}`,
    ...(isTold ? [] : askNothing),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...typed,
  ];
}

/** Looks where the SDK looks; only AWS knows whether the credentials are valid. */
export function seesCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  exists: (file: string) => boolean,
): boolean {
  const variables = [
    'AWS_ACCESS_KEY_ID',
    'AWS_PROFILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ];
  const folder = path.join(homedir(), '.aws');
  const files = [
    environment.AWS_SHARED_CREDENTIALS_FILE ?? path.join(folder, 'credentials'),
    environment.AWS_CONFIG_FILE ?? path.join(folder, 'config'),
  ];
  return variables.some((name) => Boolean(environment[name])) || files.some(exists);
}

/** An instance's role shows in no variable and no file. */
function isEc2Instance(): boolean {
  try {
    return readFileSync('/sys/devices/virtual/dmi/id/board_asset_tag', 'utf8').startsWith('i-');
  } catch {
    return false;
  }
}
