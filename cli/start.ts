import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { businessDateOf, type BusinessDate } from '../lambda/card-settlement/domain/business-date.ts';
import { stageConfig, type Stage } from '../lib/config.ts';
import { stackNameOf, type DeployableStage } from '../lib/stage-names.ts';
import type { HostEvent, LocalHost } from '../local/index.ts';
import { connectToApi } from './shared/api.ts';
import { CommandError, errorCode } from './shared/command-error.ts';
import {
  createCommand,
  localStagesOption,
  outputsFile,
  parseArguments,
  wholeNumber,
  type CommandContext,
} from './shared/command.ts';
import { hostOutputs, outputsOf, type Outputs } from './shared/outputs.ts';
import { colorsFor, formatSeconds } from './shared/screen.ts';
import { synthesizeIfChanged } from './shared/assembly.ts';
import { createEventScreen, type EventScreen } from './start/event-screen.ts';
import { checkHostFile, writeHostFiles, type HostFiles } from './start/host-files.ts';
import { samVariables, type SamHost } from './start/sam-variables.ts';
import { datesForRates, loadFxRates, readShippedFxRates } from './shared/fx-rates.ts';
import { welcome } from './start/welcome.ts';

interface StartOptions {
  readonly port: number;
  readonly awsPort: number;
  readonly awsHost?: string;
  readonly accountConcurrency?: number;
  readonly outputs?: string;
  readonly stage: readonly Stage[];
}

/** A stop that takes longer is cut short: whoever presses Ctrl-C waits no more than a second. */
const stopMilliseconds = 800;

/** `npm start`: runs the synthesized app on this machine until it is interrupted. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand('start', 'Runs the whole app on this machine, until Ctrl-C.')
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
    .option('--outputs <file>', 'where to write the outputs (default: outputs.json of the project)')
    .addOption(localStagesOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<StartOptions>();

  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // npm passes on what the terminal has sent already: a second signal means no more than the first.
    process.on(signal, () => {
      interrupted.abort();
      setTimeout(() => process.exit(0), stopMilliseconds).unref();
    });
  }
  try {
    await runUntil(interrupted.signal, options, context);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  }
  // Nothing that a library still holds open keeps the user waiting.
  setImmediate(() => process.exit());
  return 0;
}

async function runUntil(signal: AbortSignal, options: StartOptions, context: CommandContext): Promise<void> {
  const started = performance.now();
  const stages = [...new Set(options.stage)];
  refuseTwins(stages);
  await checkOutputs(options.outputs, context);
  const colors = colorsFor(process.stdout);
  const screen = createEventScreen({ write, colors, now: () => new Date() });
  // What the app does before it is ready is our own doing, and what a stop cuts off is no error: neither is news.
  let ready = false;
  const onEvent = (event: HostEvent): void => {
    if (!signal.aborted && (ready || isTrouble(event))) screen.show(event);
  };

  const loadingHost = import('../local/index.ts');
  const assemblies: string[] = [];
  for (const stage of stages) {
    const onSynthesize = (): void => write(colors.dim(`Synthesizing the app (${stage})…`));
    const { projectFolder } = context;
    assemblies.push(await synthesizeIfChanged({ projectFolder, stage, signal, onSynthesize }));
  }
  const { startLocalHost } = await loadingHost;
  const { port, awsPort, awsHost, accountConcurrency } = options;
  const host = await startLocalHost({
    assembly: assemblies,
    port,
    awsPort,
    ...(awsHost === undefined ? {} : { awsAddress: awsHost }),
    ...(accountConcurrency === undefined ? {} : { accountConcurrency }),
    onEvent,
  }).catch(explainPort);

  let files: HostFiles | undefined;
  try {
    const running = stages.map((stage) => ({
      stage,
      outputs: outputsOf(host, deployed(stage)),
      openDate: businessDateOf(new Date(), stageConfig(stage).calendar),
    }));
    if (signal.aborted) return;
    await Promise.all(running.map(async ({ outputs, openDate }) => loadRates(outputs, openDate)));
    if (signal.aborted) return;
    files = await writeHostFiles({
      named: options.outputs === undefined ? undefined : outputsFile(options.outputs, context),
      projectFolder: context.projectFolder,
      port: new URL(host.url).port,
      outputs: hostOutputs(host),
      variables: new Map(stages.map((stage) => [stage, samVariables(hostOf(host, stage))])),
    });
    ready = true;
    const seconds = (performance.now() - started) / 1000;
    const usual = path.join(context.projectFolder, 'outputs.json');
    write(
      welcome({
        systems: running,
        outputsFile:
          options.outputs ??
          (files.outputs === usual ? undefined : path.relative(context.workingFolder, files.outputs)),
        colors,
        seconds: formatSeconds(seconds),
      }),
    );
    await showEventsUntil(signal, screen);
  } finally {
    await Promise.race([
      Promise.all([files?.remove(), host.stop()]),
      wait(stopMilliseconds, undefined, { ref: false }),
    ]);
  }
}

/** What is wrong with the file is said before anything starts. */
async function checkOutputs(named: string | undefined, context: CommandContext): Promise<void> {
  const file = outputsFile(named, context);
  if ((await checkHostFile(file)) && named !== undefined) {
    throw new CommandError(`${file} is that of a local host that runs.`, {
      hint: 'Stop it, or name another file with --outputs.',
    });
  }
}

/** Stages that are never deployed go by the names of sandbox. */
function deployed(stage: Stage): DeployableStage {
  return stage === 'production' ? stage : 'sandbox';
}

function refuseTwins(stages: readonly Stage[]): void {
  const names = stages.map(deployed);
  if (new Set(names).size === names.length) return;
  throw new CommandError(`The stages ${stages.join(' and ')} have the same names: start one of them.`, {
    exitCode: 2,
  });
}

/** A host as one of its stages sees it. */
function hostOf(host: LocalHost, stage: Stage): SamHost {
  const stacks = (['CardSettlement', 'Chat'] as const).map((part) => stackNameOf(stage, part));
  const functions = host.functions.filter(({ stackName }) => stacks.includes(stackName));
  const { awsEndpoint, region, userPools } = host;
  return { awsEndpoint, region, userPools, functions };
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function loadRates(outputs: Outputs, openDate: BusinessDate): Promise<void> {
  const api = connectToApi(outputs, 4);
  try {
    const rates = await readShippedFxRates();
    await loadFxRates(api.as.operator, rates, datesForRates(openDate));
  } finally {
    api.close();
  }
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

/** The host says which of its ports another program holds; the user knows them by their options. */
function explainPort(error: unknown): never {
  if (error instanceof Error && error.name === 'PortTakenError' && 'port' in error && 'option' in error) {
    const option = error.option === 'awsPort' ? '--aws-port' : '--port';
    throw new CommandError(
      `Port ${String(error.port)} is taken: name another one with npm start -- ${option} <number> (0 takes any).`,
      { cause: error },
    );
  }
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EINVAL'].includes(errorCode(error) ?? '')) {
    throw new CommandError(
      'The address of --aws-host is none of this machine: name one that it has, or 0.0.0.0 for all.',
      { cause: error },
    );
  }
  if (errorCode(error) === 'EACCES') {
    throw new CommandError('The port is not allowed to you: name one above 1023 with --port or --aws-port.', {
      cause: error,
    });
  }
  throw error;
}
