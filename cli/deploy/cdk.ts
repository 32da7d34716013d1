import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline/promises';
import type { CommandContext } from '../shared/command.ts';
import { CommandError } from '../shared/command-error.ts';

/** Runs the CDK command line of the project. @returns its exit code */
export type RunCdk = (context: CommandContext, argv: readonly string[]) => Promise<number>;

/** On the user's terminal. Fails early where no AWS credentials are to be seen. */
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

export interface Approval {
  readonly yes?: true;
}

/** Asks once, in the place of all that cdk would ask. @throws CommandError for a no, and where nobody can be asked */
export async function approve({ yes }: Approval, what: string): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CommandError('There is no terminal to ask on.', {
      hint: `${what} If that is what you want, pass --yes.`,
      exitCode: 2,
    });
  }
  const lines = readline.createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(`${what}\nGo on? (y/N) `).finally(() => lines.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing is done.');
}

/**
 * What else goes to cdk: what the user typed, the profile, and the word that cdk need not ask, unless the user told it
 * how to.
 */
export function cdkArguments(
  { profile }: { readonly profile?: string },
  typed: readonly string[],
  askNothing: readonly string[],
): readonly string[] {
  const isTold = typed.some((each) => each.split('=')[0] === askNothing[0]);
  return [...(isTold ? [] : askNothing), ...(profile === undefined ? [] : ['--profile', profile]), ...typed];
}

/** Whether one of the places that the SDK looks for credentials in holds something; what it is worth, AWS says. */
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

/** An EC2 instance may have a role, which no variable and no file tells of. */
function isEc2Instance(): boolean {
  try {
    return readFileSync('/sys/devices/virtual/dmi/id/board_asset_tag', 'utf8').startsWith('i-');
  } catch {
    return false;
  }
}
