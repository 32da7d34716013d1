import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Option } from 'commander';
import { businessDateOf } from '../lambda/card-settlement/domain/business-date.ts';
import { stageConfig, type Stage } from '../lib/config.ts';
import { stackNameOf, type DeployableStage } from '../lib/stage-names.ts';
import type { HostEvent, LocalHost } from '../local/index.ts';
import { withApi } from './shared/api.ts';
import { synthesizeIfChanged } from './shared/assembly.ts';
import { CommandError, errorCode, usageError } from './shared/command-error.ts';
import {
  createCommand,
  defineCommand,
  instant,
  localStagesOption,
  outputsFile,
  wholeNumber,
  type CommandContext,
} from './shared/command.ts';
import { datesForRates, loadFxRates, readShippedFxRates } from './shared/fx-rates.ts';
import { hostOutputs, outputsOf } from './shared/outputs.ts';
import { colorsFor, formatSeconds, print } from './shared/screen.ts';
import { workers, type WorkerName } from './shared/workers.ts';
import { createEventScreen, type EventScreen } from './start/event-screen.ts';
import { checkHostFile, writeHostFiles, type HostFiles } from './start/host-files.ts';
import { samVariables, type SamHost } from './start/sam-variables.ts';
import { welcome, type RunningStage } from './start/welcome.ts';

interface StartOptions {
  readonly port: number;
  readonly awsPort: number;
  readonly awsHost?: string;
  readonly accountConcurrency?: number;
  readonly at?: Date;
  readonly withoutWorker?: readonly WorkerName[];
  readonly outputs?: string;
  readonly stage: readonly Stage[];
}

/** A stop that takes longer is cut short, so that Ctrl-C takes at most a second. */
const STOP_MILLISECONDS = 800;

export const run = defineCommand<StartOptions>(
  createCommand('start', 'Runs the whole app on this machine, until Ctrl-C.')
    .option('--port <number>', 'port of the APIs; 0 takes any', wholeNumber(0, 65_535), 3000)
    .option('--aws-port <number>', 'port of the AWS endpoint; 0 takes any', wholeNumber(0, 65_535), 4566)
    .option(
      '--aws-host <address>',
      'another address of this machine that the AWS endpoint listens on, for containers; 0.0.0.0 for all',
    )
    .option(
      '--account-concurrency <number>',
      'most functions at once, as an account has a limit: 10 in a new one (default: none)',
      wholeNumber(1, 100_000),
    )
    .option(
      '--at <instant>',
      'what its clock says at first: 2026-11-03T16:58:00-05:00 (default: now)',
      instant,
    )
    .addOption(
      new Option(
        '--without-worker <queue...>',
        'leave the messages of a queue to npm run worker: its function polls for none',
      ).choices(workers),
    )
    .option('--outputs <file>', 'where to write the outputs (default: outputs.json of the project)')
    .addOption(localStagesOption()),
  async ({ options, context }) => {
    const interrupted = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // npm repeats the signal that the terminal has sent already: a second one changes nothing.
      process.on(signal, () => {
        interrupted.abort();
        setTimeout(() => process.exit(0), STOP_MILLISECONDS).unref();
      });
    }
    try {
      await runUntil(interrupted.signal, options, context);
    } catch (error) {
      if (!interrupted.signal.aborted) throw error;
    }
    // What libraries still hold open must not keep the process alive.
    setImmediate(() => process.exit());
    return 0;
  },
);

async function runUntil(signal: AbortSignal, options: StartOptions, context: CommandContext): Promise<void> {
  const started = performance.now();
  const stages = [...new Set(options.stage)];
  refuseTwins(stages);
  await checkOutputs(options.outputs, context);
  const colors = colorsFor(process.stdout);
  const screen = createEventScreen({ write: print, colors, now: () => new Date() });
  // Before it is ready, the app does only what this command asks for; errors after a stop mean nothing.
  let ready = false;
  const onEvent = (event: HostEvent): void => {
    if (!signal.aborted && (ready || isTrouble(event))) screen.show(event);
  };

  const host = await startHost(stages, onEvent, signal, options, context);
  let files: HostFiles | undefined;
  try {
    const running = stages.map((stage) => ({
      stage,
      outputs: outputsOf(host, deployed(stage)),
      openDate: businessDateOf(new Date(), stageConfig(stage).calendar),
    }));
    if (signal.aborted) return;
    await Promise.all(running.map(loadRates));
    if (signal.aborted) return;
    files = await writeHostFiles({
      named: options.outputs === undefined ? undefined : outputsFile(options.outputs, context),
      projectFolder: context.projectFolder,
      port: new URL(host.url).port,
      outputs: hostOutputs(host),
      variables: new Map(stages.map((stage) => [stage, samVariables(hostOf(host, stage))])),
    });
    ready = true;
    print(
      welcome({
        systems: running,
        leftOut: options.withoutWorker ?? [],
        outputsFile: options.outputs ?? unusualFile(files.outputs, context),
        colors,
        seconds: formatSeconds((performance.now() - started) / 1000),
        startedAt: options.at,
      }),
    );
    await showEventsUntil(signal, screen);
  } finally {
    await Promise.race([
      Promise.all([files?.remove(), host.stop()]),
      wait(STOP_MILLISECONDS, undefined, { ref: false }),
    ]);
  }
}

async function startHost(
  stages: readonly Stage[],
  onEvent: (event: HostEvent) => void,
  signal: AbortSignal,
  { port, awsPort, awsHost, accountConcurrency, at, withoutWorker = [] }: StartOptions,
  { projectFolder }: CommandContext,
): Promise<LocalHost> {
  const { dim } = colorsFor(process.stdout);
  const loadingHost = import('../local/index.ts');
  const assembly: string[] = [];
  for (const stage of stages) {
    const onSynthesize = (): void => print(dim(`Synthesizing the app (${stage})…`));
    assembly.push(await synthesizeIfChanged({ projectFolder, stage, signal, onSynthesize }));
  }
  const { startLocalHost } = await loadingHost;
  return startLocalHost({
    assembly,
    port,
    awsPort,
    ...(awsHost === undefined ? {} : { awsAddress: awsHost }),
    ...(accountConcurrency === undefined ? {} : { accountConcurrency }),
    ...(at === undefined ? {} : { startAt: at }),
    idleMappings: withoutWorker.map((worker) => `${worker}Mapping`),
    onEvent,
  }).catch(explainPort);
}

async function checkOutputs(named: string | undefined, context: CommandContext): Promise<void> {
  const file = outputsFile(named, context);
  if (!(await checkHostFile(file)) || named === undefined) return;
  throw new CommandError(`${file} is that of a local host that runs.`, {
    hint: 'Stop it, or name another file with --outputs.',
  });
}

function unusualFile(file: string, { projectFolder, workingFolder }: CommandContext): string | undefined {
  return file === path.join(projectFolder, 'outputs.json') ? undefined : path.relative(workingFolder, file);
}

/** Stages that are never deployed have the names of sandbox. */
function deployed(stage: Stage): DeployableStage {
  return stage === 'production' ? stage : 'sandbox';
}

function refuseTwins(stages: readonly Stage[]): void {
  if (new Set(stages.map(deployed)).size === stages.length) return;
  throw usageError(`The stages ${stages.join(' and ')} have the same names: start one of them.`);
}

function hostOf(host: LocalHost, stage: Stage): SamHost {
  const stacks = (['CardSettlement', 'Chat'] as const).map((part) => stackNameOf(stage, part));
  return { ...host, functions: host.functions.filter(({ stackName }) => stacks.includes(stackName)) };
}

async function loadRates({ outputs, openDate }: RunningStage): Promise<void> {
  await withApi(outputs, 4, async (api) =>
    loadFxRates(api.as.operator, await readShippedFxRates(), datesForRates(openDate)),
  );
}

async function showEventsUntil(signal: AbortSignal, screen: EventScreen): Promise<void> {
  const ticking = setInterval(() => screen.tick(), 1000);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(ticking);
}

function isTrouble(event: HostEvent): boolean {
  return (
    event.type === 'log' ||
    event.type === 'access-denied' ||
    (event.type === 'invocation' && event.outcome !== 'success')
  );
}

function explainPort(cause: unknown): never {
  if (cause instanceof Error && cause.name === 'PortTakenError' && 'port' in cause && 'option' in cause) {
    const option = cause.option === 'awsPort' ? '--aws-port' : '--port';
    throw new CommandError(
      `Port ${String(cause.port)} is taken: name another one with npm start -- ${option} <number> (0 takes any).`,
      { cause },
    );
  }
  const code = errorCode(cause) ?? '';
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EINVAL'].includes(code)) {
    throw new CommandError(
      'The address of --aws-host is none of this machine: name one that it has, or 0.0.0.0 for all.',
      { cause },
    );
  }
  if (code === 'EACCES') {
    throw new CommandError('The port is not allowed to you: name one above 1023 with --port or --aws-port.', {
      cause,
    });
  }
  throw cause;
}
