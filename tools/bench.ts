import { bundlesOf, checkNode, measureBundles, type BundleResult } from './bench/bundles.ts';
import { measureIntake, type IntakeResult } from './bench/intake.ts';
import { measureReconcile, UNSCHEDULED_DAYS, type ReconcileResult } from './bench/reconcile.ts';
import { figuresTable, isMet, type Figure } from './bench/report.ts';
import { startHost, type RunningHost } from './bench/running-host.ts';
import { measureSettlement, type SettleResult } from './bench/settlement.ts';
import { measureStartUp, type StartUpResult } from './bench/start-up.ts';
import { businessCalendar } from '../cli/shared/business-day.ts';
import { CommandError } from '../cli/shared/command-error.ts';
import {
  createCommand,
  parseArguments,
  wholeNumber,
  type CommandContext,
  jsonOption,
} from '../cli/shared/command.ts';
import { runLoad } from './latency/load.ts';
import { percentiles, type Percentiles } from './latency/percentiles.ts';
import { colorsFor, countOf } from '../cli/shared/screen.ts';
import { synthesizeIfChanged } from '../cli/shared/assembly.ts';
import { stageConfig } from '../lib/config.ts';
import { addDays, businessDateOf } from '../lambda/card-settlement/domain/business-date.ts';

interface BenchOptions {
  readonly node: string;
  readonly requests: number;
  readonly rounds: number;
  readonly small: number;
  readonly large: number;
  readonly json?: true;
}

interface Measured {
  readonly startUp: StartUpResult;
  readonly intake: IntakeResult;
  readonly settlement: SettleResult;
  readonly chat: Percentiles | undefined;
  readonly reconcile: { readonly small: ReconcileResult; readonly large: ReconcileResult };
  readonly bundles: { readonly version: string; readonly bundles: readonly BundleResult[] };
}

const CONNECTIONS = 32;

/** `npm run bench`: what the whole app does on this machine, in figures that compare within one run. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'bench',
    'Measures the whole app on this machine, on local hosts of its own. Machines differ and are busy: compare ratios.',
  )
    .option('--node <file>', 'Node.js to import the bundles with: Lambda runs version 24', process.execPath)
    .option('--requests <number>', 'sales per round of intake', wholeNumber(100, 100_000), 2000)
    .option('--rounds <number>', 'rounds of intake and of raw writes in turn', wholeNumber(1, 50), 5)
    .option(
      '--small <number>',
      'transactions of the smaller day to reconcile',
      wholeNumber(100, 1_000_000),
      10_000,
    )
    .option('--large <number>', 'transactions of the larger one', wholeNumber(100, 1_000_000), 100_000)
    .addOption(jsonOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<BenchOptions>();

  await checkNode(options.node);
  const measured = await measure(options, context);
  const figures = figuresOf(measured);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...measured, figures })}\n`
      : `${figuresTable(figures, colorsFor(process.stdout))}\n`,
  );
  return figures.every(isMet) ? 0 : 1;
}

async function measure(options: BenchOptions, context: CommandContext): Promise<Measured> {
  const { node, requests, rounds, small, large } = options;
  const { projectFolder } = context;
  say('Starting a copy that was never started, and starting it again…');
  const startUp = await measureStartUp(projectFolder);
  const assembly = await synthesizeIfChanged({
    projectFolder,
    stage: 'sandbox',
    signal: new AbortController().signal,
    onSynthesize: () => undefined,
  });
  say('Importing every bundle in fresh processes…');
  const bundles = await measureBundles(assembly, node);

  const { intake, settlement } = await withHost(projectFolder, async (host) => {
    say(
      `Intake of ${countOf(requests * rounds, 'sale')} over ${CONNECTIONS} connections, and as many raw writes…`,
    );
    const taken = await measureIntake(host, { connections: CONNECTIONS, requests, rounds });
    say('Settling them…');
    const openDate = businessDateOf(new Date(), businessCalendar);
    return { intake: taken, settlement: await measureSettlement(host, openDate) };
  });
  const chat = await withHost(projectFolder, async ({ outputs }) => {
    say('Chat, 50 messages a second…');
    await runLoad({ outputs, messagesPerSecond: 50, seconds: 3 });
    return percentiles((await runLoad({ outputs, messagesPerSecond: 50, seconds: 15 })).milliseconds);
  });
  const bundle = bundlesOf(assembly).find(({ name }) => name === 'ReconcileWorker')?.file;
  if (bundle === undefined) throw new CommandError('The app has no function that reconciles.');
  const businessDate = addDays(businessDateOf(new Date(), businessCalendar), UNSCHEDULED_DAYS);
  const reconcileDay = async (staged: number): Promise<ReconcileResult> =>
    withHost(projectFolder, async (host) => {
      say(`Reconciling a day of ${countOf(staged, 'transaction')}…`);
      return measureReconcile(host, { bundle, node, businessDate, staged });
    });
  const reconcile = {
    small: await reconcileDay(small),
    large: await reconcileDay(large),
  };
  return { startUp, intake, settlement, chat, reconcile, bundles };
}

async function withHost<T>(projectFolder: string, work: (host: RunningHost) => Promise<T>): Promise<T> {
  const host = await startHost(projectFolder);
  try {
    return await work(host);
  } finally {
    await host.stop();
  }
}

/** A figure that depends on the machine alone has no target. */
function figuresOf({ startUp, intake, settlement, chat, reconcile, bundles }: Measured): Figure[] {
  const { small, large } = reconcile;
  const size = large.staged / small.staged;
  return [
    { name: 'start-up, nothing built yet', value: startUp.coldMilliseconds / 1000, unit: 's', atMost: 10 },
    { name: 'start-up, again', value: startUp.warmMilliseconds / 1000, unit: 's', atMost: 3 },
    { name: `intake, ${intake.connections} connections`, value: intake.intakePerSecond, unit: '/s' },
    { name: 'raw conditional PutItem', value: intake.rawPerSecond, unit: '/s' },
    { name: 'intake : raw', value: intake.ratio, unit: '', atLeast: 0.35 },
    { name: 'intake p50', value: intake.milliseconds.p50, unit: 'ms' },
    { name: 'intake p99', value: intake.milliseconds.p99, unit: 'ms' },
    { name: 'settled', value: settlement.perSecond, unit: '/s' },
    ...(chat === undefined
      ? []
      : [
          { name: 'chat, accepted to shown, p50', value: chat.p50, unit: 'ms' },
          { name: 'chat, accepted to shown, p99', value: chat.p99, unit: 'ms' },
        ]),
    ...[small, large].flatMap(({ staged, milliseconds, megabytes }) => [
      { name: `reconcile ${staged.toLocaleString('en-US')}, time`, value: milliseconds / 1000, unit: 's' },
      { name: `reconcile ${staged.toLocaleString('en-US')}, memory`, value: megabytes, unit: 'MB' },
    ]),
    {
      name: 'reconcile, CPU per transaction',
      value: microsecondsEach(small, large),
      unit: 'µs',
    },
    {
      name: 'reconcile, invocations for 10,000,000',
      value: Math.ceil((microsecondsEach(small, large) * 10) / INVOCATION_CPU_SECONDS),
      unit: '',
    },
    {
      name: 'reconcile, memory, large : small',
      value: large.megabytes / small.megabytes,
      unit: '',
      atMost: 1.2,
    },
    {
      name: `reconcile, time, large : small (${size.toLocaleString('en-US')} times as many)`,
      value: large.milliseconds / small.milliseconds,
      unit: '',
      atMost: size * 1.3,
    },
    ...bundles.bundles
      .toSorted((one, other) => other.kilobytes - one.kilobytes)
      .flatMap(({ name, kilobytes, importMilliseconds }) => [
        { name: `${name}, size`, value: kilobytes, unit: 'KB', atMost: 450 },
        {
          name: `${name}, import on Node ${bundles.version}`,
          value: importMilliseconds,
          unit: 'ms',
          atMost: 80,
        },
      ]),
  ];
}

/**
 * What a transaction more costs. On Lambda a function has one vCPU per 1,769 MB, and a walk uses 85 % of its time.
 * [lambda/latest/dg/configuration-memory]
 */
function microsecondsEach(small: ReconcileResult, large: ReconcileResult): number {
  return ((large.cpuSeconds - small.cpuSeconds) * 1e6) / (large.staged - small.staged);
}

const { reconcile: worker } = stageConfig('production');
const INVOCATION_CPU_SECONDS = worker.timeoutSeconds * 0.85 * Math.min(1, worker.memoryMegabytes / 1769);

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
