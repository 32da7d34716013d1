import { randomBytes } from 'node:crypto';
import { connectToChatUsers } from '../cli/shared/chat-users.ts';
import { errorMessage } from '../cli/shared/command-error.ts';
import { createDeploymentCommand, wholeNumber, type Call } from '../cli/shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from '../cli/shared/outputs.ts';
import { countOf, printError } from '../cli/shared/screen.ts';
import { userTokensOf, type AccessTokens } from '../cli/shared/tokens.ts';
import { chatFigures, latencyFigures, measureChat } from './bench/chat-load.ts';
import { allMet, figuresTable, type Figure } from './harness/figures.ts';
import { assemblyOf, defineTool } from './harness/tool.ts';

interface LatencyOptions extends DeploymentOptions {
  readonly rate?: number;
  readonly users?: number;
  readonly profile?: string;
  readonly seconds: number;
}

const LOCAL = { rate: 50, users: 50, atOnce: 200 };
/** A new account runs ten functions at once: four take messages, two push them, the rest take acknowledgements. */
const AWS = { rate: 10, users: 10, atOnce: 4 };

export const run = defineTool(
  () =>
    createDeploymentCommand(
      'latency',
      'Measures how long chat messages take from being accepted to being on the recipient’s device,\non a local host of its own; there it also shows the share of the pipe, which polls four times a second.\nWith --outputs or --stage it measures that deployment, with chat users that it makes and removes.',
    )
      .option('--rate <number>', 'messages a second (default: 50, on AWS 10)', wholeNumber(1, 200))
      .option(
        '--users <number>',
        'who write to each other in pairs (default: 50, on AWS 10)',
        wholeNumber(2, 200),
      )
      .option('--seconds <number>', 'how long to write', wholeNumber(1, 600), 20),
  { measure, report: figuresTable, isGood: allMet },
);

async function measure({ options, context }: Call<LatencyOptions>): Promise<readonly Figure[]> {
  if (options.outputs === undefined && options.stage === undefined && options.profile === undefined)
    return measureOwnHost(options, await assemblyOf(context.projectFolder, 'sandbox'));
  const { outputs } = await findDeployment(options, context);
  return measureDeployment(outputs, options);
}

async function measureOwnHost(
  { rate = LOCAL.rate, seconds }: LatencyOptions,
  assembly: string,
): Promise<readonly Figure[]> {
  const { startOwnHost } = await import('./harness/own-host.ts');
  const pipe: number[] = [];
  const host = await startOwnHost({
    assembly,
    onEvent: (event) => {
      if (event.type === 'pipe') pipe.push(...event.waitedMilliseconds);
    },
  });
  try {
    await host.warm();
    announce(rate, seconds);
    const load = { outputs: host.appOutputs, perSecond: rate, seconds };
    const latency = await measureChat(load, () => void pipe.splice(0));
    return [...chatFigures(latency), ...latencyFigures('of it, waiting for the pipe', pipe)];
  } finally {
    await host.stop();
  }
}

async function measureDeployment(outputs: Outputs, options: LatencyOptions): Promise<readonly Figure[]> {
  const usual = outputs.DuotempoLocal === undefined ? AWS : LOCAL;
  const { rate = usual.rate, users: count = usual.users, seconds } = options;
  const pool = await connectToChatUsers(outputs);
  const runId = randomBytes(4).toString('hex');
  const users: { readonly name: string; readonly tokens: AccessTokens }[] = [];
  try {
    printError(`Making ${countOf(count, 'user')}…`);
    // An even number, one after the other: Cognito limits how many it makes a second.
    for (let number = 0; number < count + (count % 2); number += 1) {
      const name = `latency-${runId}-${number}`;
      const password = await pool.add(name);
      users.push({ name, tokens: userTokensOf(name, outputs, async () => Promise.resolve(password)) });
    }
    announce(rate, seconds);
    return chatFigures(await measureChat({ outputs, perSecond: rate, seconds, users, atOnce: usual.atOnce }));
  } finally {
    for (const { name } of users) {
      await pool
        .remove(name)
        .catch((error: unknown) => printError(`${name} is left behind: ${errorMessage(error)}`));
    }
    pool.close();
  }
}

function announce(rate: number, seconds: number): void {
  printError(`${countOf(rate, 'message')} a second for ${countOf(seconds, 'second')}, after a warm-up…`);
}
