import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the project's commands as npm would, and waits for its end. */
export async function command(
  args: readonly string[],
  options: { readonly file?: string } = {},
): Promise<Ended> {
  return begin(args, options.file).end;
}

/** One of the project's commands, running. */
export interface Running {
  /** What it has written so far. */
  readonly text: Pick<Ended, 'stdout' | 'stderr'>;
  readonly end: Promise<Ended>;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
}

/** Starts a command as `command` does, and does not wait. @param file runs in the launcher's place */
export function begin(args: readonly string[], file = 'cli/launch.mjs'): Running {
  const running = spawnText(process.execPath, [file, ...args]);
  return { text: running.text, end: ended(running), kill: (signal) => void running.child.kill(signal) };
}

export async function program(
  file: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly folder?: string } = {},
): Promise<Ended> {
  return ended(spawnText(file, args, options));
}

/** Runs a script in a shell, with npm and the project's folder at hand. */
export async function shell(script: string): Promise<Ended> {
  return ended(spawnText('bash', ['-euo', 'pipefail', '-c', script]));
}

export interface Started {
  readonly outputsFile: string;
  /** Where the APIs are: `http://localhost:<port>`. */
  readonly url: string;
  readonly awsEndpoint: string;
  readonly screen: () => string;
  /** Ctrl-C. @returns how it ended, and how long that took */
  readonly stop: () => Promise<Ended & { readonly milliseconds: number }>;
}

/** Starts the system as `npm start` does, on free ports, and waits until it is ready. */
export async function start(args: readonly string[] = []): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'duotempo-start-'));
  const outputsFile = join(folder, 'outputs.json');
  const running = spawnText(process.execPath, [
    'cli/launch.mjs',
    'start',
    ...['--port', '0', '--aws-port', '0', '--outputs', outputsFile],
    ...args,
  ]);
  const end = ended(running);
  const outputs = await outputsOf(outputsFile, running);
  return {
    outputsFile,
    url: new URL(outputs.DuotempoCardSettlement.ApiUrl).origin,
    awsEndpoint: outputs.DuotempoLocal.AwsEndpoint,
    screen: () => running.text.stdout + running.text.stderr,
    stop: async () => {
      const startedAt = performance.now();
      running.child.kill('SIGINT');
      const result = { ...(await end), milliseconds: performance.now() - startedAt };
      rmSync(folder, { recursive: true, force: true });
      return result;
    },
  };
}

interface LocalOutputs {
  readonly DuotempoCardSettlement: { readonly ApiUrl: string };
  readonly DuotempoLocal: { readonly AwsEndpoint: string };
}

async function outputsOf(file: string, running: ReturnType<typeof spawnText>): Promise<LocalOutputs> {
  const screen = (): string => `npm start is ready:\n${running.text.stdout}${running.text.stderr}`;
  await eventually(() => existsSync(file) || running.child.exitCode !== null, screen, 300);
  if (!existsSync(file)) throw new Error(`npm start ended:\n${screen()}`);
  return JSON.parse(readFileSync(file, 'utf8')) as LocalOutputs;
}

function spawnText(
  file: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly folder?: string } = {},
) {
  // As a user's shell would have it: nothing of the test runner's.
  const {
    NODE_OPTIONS: _options,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: _warning,
    ...env
  } = process.env;
  const child = spawn(file, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ...options.env },
    cwd: options.folder,
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  return { child, text };
}

async function ended({ child, text }: ReturnType<typeof spawnText>): Promise<Ended> {
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, ...text };
}
