import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { stackNameOf } from '../../lib/stage-names.ts';
import { CommandError } from '../shared/command-error.ts';
import { awsClientOptions, type Deployment, type Outputs } from '../shared/outputs.ts';
import { countOf } from '../shared/screen.ts';
import { createSteps, type OnResult, type StepResult } from './steps.ts';

interface AlarmState {
  readonly name: string;
  readonly state: string;
  readonly description: string;
}

/** The local host has no CloudWatch; there this checks the dead-letter queues. */
export async function smokeAlarms(
  { outputs, stage }: Pick<Deployment, 'outputs' | 'stage'>,
  onResult: OnResult,
): Promise<readonly StepResult[]> {
  const { step, results } = createSteps(onResult);
  const look = { stack: 'DuotempoCardSettlement', outputs: ['AlarmTopicArn'], headings: [] } as const;
  if (outputs.DuotempoLocal !== undefined) {
    await step('the dead-letter queues are empty', { ...look, outputs: [] }, async () =>
      deadLetters(outputs),
    );
    return results;
  }
  await step('no alarm rings', look, async () => {
    const parts = ['CardSettlement', 'Chat', 'Identity'] as const;
    const stackNames = parts.map((part) => stackNameOf(stage, part));
    return { detail: judge(await alarmsOf(outputs, stackNames)) };
  });
  return results;
}

/** @throws CommandError with the descriptions of ringing alarms, which name the runbook's heading */
export function judge(alarms: readonly AlarmState[]): string {
  if (alarms.length === 0) throw new CommandError('There are no alarms.');
  const ringing = alarms.filter(({ state }) => state === 'ALARM');
  if (ringing.length > 0)
    throw new CommandError(ringing.map(({ name, description }) => `${name}: ${description}`).join(' '));
  const quiet = alarms.filter(({ state }) => state === 'OK').length;
  const fresh = alarms.length - quiet;
  return `${quiet} OK${fresh === 0 ? '' : `, ${fresh} that CloudWatch has not looked at yet`}`;
}

/** A new alarm may have no data for this long before CloudWatch says so. */
const NEW_MILLISECONDS = 60_000;

/** An alarm with an action for insufficient data rings on silence, unless it has been silent ever since it was made. */
export function rings(
  alarm: Pick<
    MetricAlarm,
    | 'StateValue'
    | 'InsufficientDataActions'
    | 'StateTransitionedTimestamp'
    | 'AlarmConfigurationUpdatedTimestamp'
  >,
): boolean {
  if (alarm.StateValue !== 'INSUFFICIENT_DATA') return alarm.StateValue === 'ALARM';
  const silentSince = alarm.StateTransitionedTimestamp?.getTime() ?? 0;
  const madeAt = alarm.AlarmConfigurationUpdatedTimestamp?.getTime() ?? 0;
  return (alarm.InsufficientDataActions ?? []).length > 0 && silentSince > madeAt + NEW_MILLISECONDS;
}

async function alarmsOf(outputs: Outputs, stackNames: readonly string[]): Promise<AlarmState[]> {
  const { CloudWatchClient, paginateDescribeAlarms } = await import('@aws-sdk/client-cloudwatch');
  const client = new CloudWatchClient(awsClientOptions(outputs));
  const alarms: AlarmState[] = [];
  try {
    for (const stackName of stackNames) {
      // CloudFormation begins generated names with that of the stack.
      const pages = paginateDescribeAlarms(
        { client },
        { AlarmNamePrefix: `${stackName}-`, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
      );
      for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
        for (const each of [...MetricAlarms, ...CompositeAlarms]) {
          alarms.push({
            name: each.AlarmName ?? '',
            state: rings(each) ? 'ALARM' : (each.StateValue ?? ''),
            description: each.AlarmDescription ?? '',
          });
        }
      }
    }
    return alarms;
  } finally {
    client.destroy();
  }
}

async function deadLetters(outputs: Outputs): Promise<{ readonly detail: string }> {
  const queues = Object.entries({ ...outputs.DuotempoCardSettlement, ...outputs.DuotempoChat }).filter(
    ([key]) => key.endsWith('DeadLetterQueueUrl'),
  );
  const urls = queues.map(([, url]) => url);
  const depths = await depthsOf(outputs, urls);
  const said = queues.flatMap(([key, url]) => {
    const depth = depths.get(url) ?? 0;
    if (depth === 0) return [];
    const name = key
      .replace(/DeadLetterQueueUrl$/, '')
      .toLowerCase()
      .replace('messagepipe', 'pipe’s');
    return `${countOf(depth, 'message')} in ${url}: runbook, "A message in the ${name} dead-letter queue".`;
  });
  if (said.length > 0) throw new CommandError(said.join(' '));
  return { detail: `${countOf(queues.length, 'queue')}; the local host has no CloudWatch, so no alarms` };
}

export async function depthsOf(outputs: Outputs, urls: readonly string[]): Promise<Map<string, number>> {
  const { SQS } = await import('@aws-sdk/client-sqs');
  const client = new SQS(awsClientOptions(outputs));
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  try {
    const depths = urls.map(async (url): Promise<[string, number]> => {
      const { Attributes: found = {} } = await client.getQueueAttributes({
        QueueUrl: url,
        AttributeNames: [...names],
      });
      return [url, names.reduce((sum, name) => sum + Number(found[name] ?? 0), 0)];
    });
    return new Map(await Promise.all(depths));
  } finally {
    client.destroy();
  }
}
