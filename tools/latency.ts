import { randomBytes } from 'node:crypto';
import Table from 'cli-table3';
import { errorMessage } from '../cli/shared/command-error.ts';
import type { HostEvent } from '../local/index.ts';
import {
  createDeploymentCommand,
  parseArguments,
  wholeNumber,
  type CommandContext,
} from '../cli/shared/command.ts';
import { runLoad, type LoadOptions, type LoadResult, type LoadUser } from './latency/load.ts';
import { percentiles } from './latency/percentiles.ts';
import { findDeployment, outputsOf, type DeploymentOptions, type Outputs } from '../cli/shared/outputs.ts';
import { countOf } from '../cli/shared/screen.ts';
import { userTokensOf } from '../cli/shared/tokens.ts';
import { synthesizeIfChanged } from '../cli/shared/assembly.ts';
import { connectToChatUsers } from '../cli/shared/chat-users.ts';

interface LatencyOptions extends DeploymentOptions {
  readonly rate?: number;
  readonly users?: number;
  readonly profile?: string;
  readonly seconds: number;
}

/** What goes before the measured part, so that functions and connections are warm. */
const warmUpSeconds = 3;

/** `npm run latency`: how long a message takes from being written to being on the recipient's device. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'latency',
    'Measures how long chat messages take from being accepted to being on the recipient’s device,\non a local host of its own; there it also shows the share of the pipe, which polls four times a second.\nWith --outputs or --stage it measures that deployment, with chat users that it makes and removes.',
  )
    .option('--rate <number>', 'messages a second (default: 50, on AWS 10)', wholeNumber(1, 200))
    .option(
      '--users <number>',
      'who write to each other in pairs (default: 50, on AWS 10)',
      wholeNumber(2, 200),
    )
    .option('--seconds <number>', 'how long to write', wholeNumber(1, 600), 20);
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<LatencyOptions>();

  if (options.outputs !== undefined || options.stage !== undefined || options.profile !== undefined) {
    const { outputs } = await findDeployment(options, context);
    return measureDeployment(outputs, options);
  }
  const assembly = await synthesizeIfChanged({
    projectFolder: context.projectFolder,
    stage: 'sandbox',
    signal: new AbortController().signal,
    onSynthesize: () => say('Synthesizing the app…'),
  });
  const { startLocalHost } = await import('../local/index.ts');
  let pipe: number[] = [];
  const onEvent = (event: HostEvent): void => {
    if (event.type === 'pipe') pipe.push(...event.waitedMilliseconds);
  };
  const host = await startLocalHost({ assembly, port: 0, awsPort: 0, onEvent });
  try {
    const outputs = outputsOf(host);
    await host.warm();
    const load = { outputs, messagesPerSecond: options.rate ?? LOCAL.rate, seconds: options.seconds };
    await warmUp(load);
    pipe = [];
    return report(await measure(load), pipe);
  } finally {
    await host.stop();
  }
}

/** What a load is where nobody says. */
const LOCAL = { rate: 50, users: 50, atOnce: Infinity };
/** A new account runs ten functions at once: four take messages, two push them, and acknowledgements take the rest. */
const AWS = { rate: 10, users: 10, atOnce: 4 };

/** Creates users for the run and removes them afterwards, because a deployment on AWS has none that it knows. */
async function measureDeployment(outputs: Outputs, options: LatencyOptions): Promise<number> {
  const usual = outputs.DuotempoLocal === undefined ? AWS : LOCAL;
  const { rate = usual.rate, users: count = usual.users, seconds } = options;
  const pool = await connectToChatUsers(outputs);
  const runId = randomBytes(4).toString('hex');
  const users: LoadUser[] = [];
  try {
    say(`Making ${countOf(count, 'user')}…`);
    // Writers and readers go in pairs. One after the other: Cognito takes so many a second, and no more.
    for (let number = 0; number < count + (count % 2); number++) {
      const name = `latency-${runId}-${number}`;
      const password = await pool.add(name);
      users.push({ name, tokens: userTokensOf(name, outputs, async () => Promise.resolve(password)) });
    }
    const load = { outputs, messagesPerSecond: rate, seconds, users, atOnce: usual.atOnce };
    await warmUp(load);
    return report(await measure(load), undefined);
  } finally {
    for (const { name } of users) {
      await pool
        .remove(name)
        .catch((error: unknown) => say(`${name} is left behind: ${errorMessage(error)}`));
    }
    pool.close();
  }
}

async function warmUp(load: LoadOptions): Promise<void> {
  say('Warming up…');
  await runLoad({ ...load, seconds: warmUpSeconds });
}

async function measure(load: LoadOptions): Promise<LoadResult> {
  say(`${countOf(load.messagesPerSecond, 'message')} a second for ${countOf(load.seconds, 'second')}…`);
  return runLoad(load);
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
