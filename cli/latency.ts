import Table from 'cli-table3';
import type { HostEvent } from '../local/events.ts';
import { type CommandContext, createDeploymentCommand, parseArguments, wholeNumber } from './command-line.ts';
import { type LoadResult, runLoad } from './latency/load.ts';
import { percentiles } from './latency/percentiles.ts';
import { type DeploymentOptions, findDeployment, type Outputs, parseOutputs } from './outputs.ts';
import { countOf } from './screen.ts';
import { synthesizeIfChanged } from './start/assembly.ts';

interface LatencyOptions extends DeploymentOptions {
  readonly rate: number;
  readonly seconds: number;
}

/** What goes before the measured part, so that functions and connections are warm. */
const warmUpSeconds = 3;

/** `npm run latency`: how long a message takes from being written to being on the recipient's device. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'latency',
    'Measures how long chat messages take from being accepted to being on the recipient’s device,\non a local host of its own; there it also shows the share of the pipe, which polls four times a second.',
  )
    .option('--rate <number>', 'messages a second', wholeNumber(1, 200), 50)
    .option('--seconds <number>', 'how long to write', wholeNumber(1, 600), 20);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<LatencyOptions>();

  if (options.outputs !== undefined) {
    const { outputs } = await findDeployment(options, context);
    await warmUp(outputs, options.rate);
    return report(await measure(outputs, options), undefined);
  }
  const assembly = await synthesizeIfChanged({
    projectFolder: context.projectFolder,
    stage: 'sandbox',
    signal: new AbortController().signal,
    onSynthesize: () => say('Synthesizing the app…'),
  });
  const { startLocalHost } = await import('../local/host.ts');
  let pipe: number[] = [];
  const onEvent = (event: HostEvent): void => {
    if (event.type === 'pipe') pipe.push(...event.waitedMilliseconds);
  };
  const host = await startLocalHost({ assembly, port: 0, awsPort: 0, onEvent });
  try {
    const outputs = parseOutputs(
      JSON.stringify({ ...host.outputs, DuotempoLocal: { AwsEndpoint: host.awsEndpoint } }),
      'What the app was synthesized to',
    );
    await host.warm();
    await warmUp(outputs, options.rate);
    pipe = [];
    return report(await measure(outputs, options), pipe);
  } finally {
    await host.stop();
  }
}

async function warmUp(outputs: Outputs, rate: number): Promise<void> {
  say('Warming up…');
  await runLoad({ outputs, messagesPerSecond: rate, seconds: warmUpSeconds });
}

async function measure(outputs: Outputs, { rate, seconds }: LatencyOptions): Promise<LoadResult> {
  say(`${countOf(rate, 'message')} a second for ${countOf(seconds, 'second')}…`);
  return runLoad({ outputs, messagesPerSecond: rate, seconds });
}

/** @param pipe for each message, how long it waited for the pipe; undefined where nobody can tell */
function report({ posted, milliseconds }: LoadResult, pipe: readonly number[] | undefined): number {
  const table = new Table({
    head: ['milliseconds', 'p50', 'p99', 'longest'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  for (const [name, values] of [
    ['accepted to shown', milliseconds],
    ['of it, waiting for the pipe', pipe ?? []],
  ] as const) {
    const found = percentiles(values);
    if (found !== undefined) table.push([name, found.p50, found.p99, found.maximum]);
  }
  process.stdout.write(`${table.toString()}\n`);
  const lost = posted - milliseconds.length;
  say(
    lost === 0
      ? `${countOf(posted, 'message')}, all seen`
      : `${countOf(posted, 'message')}, ${lost} not seen in time`,
  );
  return lost === 0 ? 0 : 1;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
