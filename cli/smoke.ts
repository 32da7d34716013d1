import { randomBytes } from 'node:crypto';
import { createDeploymentCommand, defineCommand, jsonOption } from './shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { colorsFor, countOf, formatSeconds, print, printable, type Colors } from './shared/screen.ts';
import { depthsOf, smokeAlarms } from './smoke/alarms.ts';
import { smokeCardSettlement } from './smoke/card-settlement.ts';
import { smokeChat } from './smoke/chat.ts';
import type { StepResult } from './smoke/steps.ts';

interface SmokeOptions extends DeploymentOptions {
  readonly json?: true;
}

interface Reported extends Omit<StepResult, 'look'> {
  readonly look?: readonly string[];
}

export const run = defineCommand<SmokeOptions>(
  createDeploymentCommand(
    'smoke',
    'Proves a deployment from outside, within two minutes: tokens, a sale until it is in the settlement file, a chat\nmessage to a device that is offline and to one that is online, alarms. What it makes it takes back.',
  ).addOption(jsonOption()),
  async ({ options: { json, ...options }, context }) => {
    const deployment = await findDeployment(options, context);
    const { outputs } = deployment;
    const colors = colorsFor(process.stdout);
    const startedAt = performance.now();
    const steps: Reported[] = [];
    const onResult = async (result: StepResult): Promise<void> => {
      const reported = await withPlaces(result, outputs);
      steps.push(reported);
      if (!json) print(linesOf(reported, colors).join('\n'));
    };

    const runId = randomBytes(4).toString('hex');
    await smokeCardSettlement(outputs, runId, onResult);
    await smokeChat(outputs, runId, onResult);
    await smokeAlarms(deployment, onResult);
    const seconds = (performance.now() - startedAt) / 1000;
    const failed = steps.filter(({ status }) => status !== 'ok').length;
    if (json) print(JSON.stringify({ ok: failed === 0, seconds, steps }));
    else if (failed === 0)
      print(colors.green(`all ${steps.length} steps are well, after ${formatSeconds(seconds)}`));
    else print(colors.red(`${countOf(failed, 'step')} of ${steps.length} failed or could not be tried`));
    return failed === 0 ? 0 : 1;
  },
);

function linesOf({ name, status, seconds, detail, look = [] }: Reported, colors: Colors): string[] {
  const word = { ok: colors.green('ok  '), failed: colors.red('FAIL'), skipped: colors.dim('--  ') }[status];
  return [
    `${word}  ${name.padEnd(50)} ${formatSeconds(seconds).padStart(6)}  ${colors.dim(printable(detail))}`,
    ...look.map((place) => `      ${place}`),
  ];
}

async function withPlaces(result: StepResult, outputs: Outputs): Promise<Reported> {
  const { look: places, ...shown } = result;
  if (places === undefined) return shown;
  const stack = outputs[places.stack];
  const found = places.outputs.flatMap((key): [string, string][] => {
    const value = stack[key];
    return value === undefined ? [] : [[key, value]];
  });
  const urls = found.flatMap(([key, value]) => (key.endsWith('QueueUrl') ? [value] : []));
  const depths = await depthsOf(outputs, urls).catch(() => new Map<string, number>());
  const look = found.map(([key, value]) => {
    const depth = depths.get(value);
    const holds = depth === undefined ? '' : ` holds ${countOf(depth, 'message')}`;
    return `look at ${kindOf(key)} ${value}${holds}`;
  });
  const headings = places.headings.map((heading) => `look at docs/runbook.md, "${heading}"`);
  return { ...shown, look: [...look, ...headings] };
}

function kindOf(key: string): string {
  const kinds: readonly (readonly [suffix: string, kind: string])[] = [
    ['DeadLetterQueueUrl', 'the dead-letter queue'],
    ['QueueUrl', 'the queue'],
    ['LogGroup', 'the log group'],
    ['Function', 'the function'],
    ['PipeName', 'the pipe'],
    ['Table', 'the table'],
    ['TopicArn', 'the topic'],
  ];
  return kinds.find(([suffix]) => key.endsWith(suffix))?.[1] ?? key;
}
