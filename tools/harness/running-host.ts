import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { outputsIn, type Outputs } from '../../cli/shared/outputs.ts';
import { until } from './until.ts';

/** In its own process, as `npm start` runs it: it shares no event loop with the measurement. */
export interface RunningHost {
  readonly outputs: Outputs;
  readonly awsEndpoint: string;
  readonly readyMilliseconds: number;
}

const PATIENCE_SECONDS = 120;

export async function withHost<T>(
  projectFolder: string,
  work: (host: RunningHost) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-host-'));
  const file = path.join(folder, 'outputs.json');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [path.join('cli', 'launch.mjs'), 'start', '--port', '0', '--aws-port', '0', '--outputs', file],
    { cwd: projectFolder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let isEnded = false;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject).once('close', () => resolve());
  }).finally(() => (isEnded = true));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  try {
    const isReady = (): boolean => said.includes('is ready');
    await until(() => isEnded || isReady(), { seconds: PATIENCE_SECONDS, everyMilliseconds: 5 });
    const readyMilliseconds = performance.now() - startedAt;
    if (!isReady()) throw new CommandError(`The local host is not ready:\n${said.trim()}`);
    const outputs = outputsIn(parseJson(await readFile(file, 'utf8')), file);
    return await work({ outputs, awsEndpoint: outputs.DuotempoLocal?.AwsEndpoint ?? '', readyMilliseconds });
  } finally {
    child.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}
