import { SQS } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngines } from '../../local/engines.ts';
import { differences } from './compare.ts';
import type { Tally } from '../judges/judge.ts';
import { describeRecorded, readAnswers } from './recorded.ts';
import {
  MOVE_TASK_DIFFERENCES,
  MOVE_TASK_SCENARIOS,
  MOVE_TASKS_LEFT_ASIDE,
} from './sqs-move-task-scenarios.ts';
import { SQS_LEFT_ASIDE, SQS_SCENARIOS } from './sqs-scenarios.ts';
import type { Account, Scenario } from './sqs-scenarios.ts';

/**
 * Goal: SQS answers a program here as AWS does.
 * Method: what a test did on AWS is done here, by the SDK; its answers are compared field by field with those recorded.
 */

interface Recording {
  readonly title: string;
  readonly file: string;
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly leftAside: readonly (readonly [name: RegExp, reason: string])[];
  /** Fields that differ, with the reason. */
  readonly known: Readonly<Record<string, string>>;
}

const RECORDINGS: readonly Recording[] = [
  {
    title: 'SQS',
    file: 'test_sqs.snapshot.json',
    scenarios: SQS_SCENARIOS,
    leftAside: SQS_LEFT_ASIDE,
    known: {},
  },
  {
    title: 'message move tasks',
    file: 'test_sqs_move_task.snapshot.json',
    scenarios: MOVE_TASK_SCENARIOS,
    leftAside: MOVE_TASKS_LEFT_ASIDE,
    known: MOVE_TASK_DIFFERENCES,
  },
];

for (const recording of RECORDINGS) {
  describeRecorded(recording.title, (tally) => compareWith(recording, tally));
}

function compareWith(recording: Recording, tally: Tally): void {
  const { file, scenarios, leftAside, known } = recording;
  const recorded = readAnswers(file);
  const answered = [...recorded].filter(([, answers]) => Object.keys(answers).length > 0);
  const reasonOf = (name: string): string | undefined =>
    name in scenarios ? undefined : leftAside.find(([pattern]) => pattern.test(name))?.[1];
  let engines: Awaited<ReturnType<typeof startEngines>>;
  const clients: SQS[] = [];
  let queues = 0;

  beforeAll(async () => {
    engines = await startEngines();
  });

  const clientOf = (endpoint = engines.endpoint.url): SQS => {
    const client = new SQS({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
      maxAttempts: 1,
    });
    clients.push(client);
    return client;
  };

  const account = (): Account => ({
    sqs: clientOf(),
    clientOf,
    queue: (attributes = {}, name = `queue-${(queues += 1)}`) =>
      engines.createQueue(name, attributes).queueUrl,
    arnOf: (queueUrl) => `arn:aws:sqs:us-east-1:000000000000:${queueUrl.split('/').at(-1)}`,
  });

  test('each recorded test is re-enacted, or left aside for a reason', () => {
    const unaccounted = answered.filter(([name]) => !(name in scenarios) && reasonOf(name) === undefined);
    expect(unaccounted.map(([name]) => name)).toEqual([]);
    for (const reason of answered.flatMap(([name]) => reasonOf(name) ?? [])) tally.leaveAside(reason);
    expect(Object.keys(scenarios).filter((name) => !recorded.has(name))).toEqual([]);
  });

  test.each(Object.entries(scenarios))('%s', async (name, scenario) => {
    const here = asRecorded(await scenario(account()));
    const answers = Object.fromEntries(
      Object.entries(recorded.get(name) ?? {}).filter(([label]) => label in here),
    );
    expect(Object.keys(answers)).not.toEqual([]);
    const found = differences(answers, here);
    expect(found.filter(({ path }) => !(path in known))).toEqual([]);
    if (found.length === 0) tally.agree();
    for (const { path } of found) tally.differ(`${path}: ${known[path]}`);
  });

  afterAll(async () => {
    for (const client of clients) client.destroy();
    await engines.stop();
  });
}

/** Bytes as Python prints them; what is undefined is not there. */
function asRecorded(answers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const python = (bytes: Uint8Array): string =>
    `b'${Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(
        /[^ -~]/g,
        (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
      )}'`;
  const text = JSON.stringify(answers, (_, value: unknown) =>
    value instanceof Uint8Array ? python(value) : value,
  );
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
