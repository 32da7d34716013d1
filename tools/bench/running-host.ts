import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { CommandError } from '../../cli/shared/command-error.ts';
import { parseJson } from '../../cli/shared/files.ts';
import { outputsIn, type Outputs } from '../../cli/shared/outputs.ts';

/** The local host in a process of its own, as `npm start` runs it: what is measured shares no event loop with who measures. */
export interface RunningHost {
  readonly outputs: Outputs;
  readonly awsEndpoint: string;
  readonly stagedTransactionsTable: string;
  readonly ledgerTable: string;
  /** From the start of the process to its word that all is ready. */
  readonly readyMilliseconds: number;
  readonly stop: () => Promise<void>;
}

const PATIENCE_SECONDS = 120;

const tablesSchema = v.object({
  DuotempoCardSettlement: v.object({ StagedTransactionsTable: v.string(), LedgerTable: v.string() }),
});

/** @param projectFolder whose sources it runs, and in whose `.build` the assembly lies */
export async function startHost(projectFolder: string): Promise<RunningHost> {
  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-bench-'));
  const outputsFile = path.join(folder, 'outputs.json');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [path.join('cli', 'launch.mjs'), 'start', '--port', '0', '--aws-port', '0', '--outputs', outputsFile],
    { cwd: projectFolder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  const readyMilliseconds = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new CommandError(`The local host was not ready after ${PATIENCE_SECONDS} s.`)),
      PATIENCE_SECONDS * 1000,
    );
    child.once('error', reject);
    child.once('close', () => reject(new CommandError(`The local host ended:\n${said.trim()}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000);
        if (!said.includes('is ready')) return;
        clearTimeout(timer);
        resolve(performance.now() - startedAt);
      });
    }
  });
  const content = parseJson(await readFile(outputsFile, 'utf8'));
  const outputs = outputsIn(content, outputsFile);
  const { DuotempoCardSettlement: tables } = v.parse(tablesSchema, content);
  return {
    outputs,
    awsEndpoint: outputs.DuotempoLocal?.AwsEndpoint ?? '',
    stagedTransactionsTable: tables.StagedTransactionsTable,
    ledgerTable: tables.LedgerTable,
    readyMilliseconds,
    stop: async () => {
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
