import { readFileSync } from 'node:fs';
import { SQS } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { outputsIn, type Outputs } from '../../cli/shared/outputs.ts';
import { workers } from '../../cli/shared/workers.ts';
import { queues } from '../../cli/worker/queues.ts';
import { eventually } from '../eventually.ts';
import { begin, command, shell, start, type Running, type Started } from './command.ts';

/**
 * Goal: a queue that the host leaves out is worked on by `npm run worker`, with the same books, also if that is killed.
 * Method: the real processes. The worker that comes after the killed one is the bundle of the Dockerfile, made by its lines.
 */

const dockerfile = readFileSync('cli/worker/Dockerfile', 'utf8');

let system: Started;
let outputs: Outputs;
let sqs: SQS;
const running: Running[] = [];

beforeAll(async () => {
  system = await start(['--stage', 'test', '--without-worker', 'Settlement', 'Notification']);
  outputs = outputsIn(JSON.parse(readFileSync(system.outputsFile, 'utf8')), system.outputsFile);
  sqs = new SQS({
    region: 'us-east-1',
    endpoint: system.awsEndpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});

afterAll(async () => {
  for (const each of running) each.kill('SIGKILL');
  sqs.destroy();
  await system.stop();
});

function work(args: readonly string[], file?: string): Running {
  const worker = begin([...args, '--outputs', system.outputsFile], file);
  running.push(worker);
  return worker;
}

/** How many messages wait, and how many somebody has taken and not deleted. */
async function messagesOf(QueueUrl: string | undefined): Promise<readonly [number, number]> {
  const { Attributes = {} } = await sqs.getQueueAttributes({
    QueueUrl,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
  });
  return [
    Number(Attributes.ApproximateNumberOfMessages),
    Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  ];
}

async function as(...who: readonly string[]): Promise<{ authorization: string }> {
  const { stdout } = await command(['token', ...who, '--outputs', system.outputsFile]);
  return { authorization: `Bearer ${stdout.trim()}` };
}

test('the screen says what is left out, and what to type; there is a worker for each queue of the app', () => {
  expect(system.screen()).toContain('Settlement is left out');
  expect(system.screen()).toContain(`npm run worker -- settlement --outputs ${system.outputsFile}`);
  expect(system.screen()).not.toContain('Drain is left out');
  const made = [outputs.DuotempoCardSettlement, outputs.DuotempoChat].flatMap((names) =>
    Object.keys(names).flatMap((name) => /^(\w+)WorkerFunction$/.exec(name)?.[1] ?? []),
  );
  expect(made.toSorted()).toEqual([...workers].toSorted());
  expect(queues.map(({ worker }) => worker)).toEqual(workers);
});

test('batch: a day is settled although the worker is killed in the middle; SIGTERM ends it well', async () => {
  const { SettlementQueueUrl, ApiUrl } = outputs.DuotempoCardSettlement;
  const demo = command(['demo', '--transactions', '300', '--json', '--outputs', system.outputsFile]);
  const settlement = ['settlement', '--batch-size', '10', '--wait', '10'];
  // In the middle: it has taken messages and not deleted them.
  do {
    const killed = work(['worker', ...settlement]);
    await eventually(() => killed.text.stdout.includes('"batch settled"'), 'a batch is settled');
    killed.kill('SIGKILL');
    await killed.end;
  } while ((await messagesOf(SettlementQueueUrl))[1] === 0);

  const built = await shell(/^RUN (.*esbuild.*)$/m.exec(dockerfile)?.[1] ?? 'false');
  expect([built.stderr, built.exitCode]).toEqual(['', 0]);
  const restarted = work(settlement, '.build/worker.cjs');
  const { exitCode, stdout } = await demo;
  const [day] = (JSON.parse(stdout) as Report).dates;
  expect([exitCode, day?.status]).toEqual([0, 'balanced']);
  const totals = Object.values(day?.totals ?? {});
  const count = (side: string) => totals.reduce((sum, sides) => sum + (sides[side]?.count ?? 0), 0);
  expect(count('staged')).toBe(300);
  expect(count('settled') + count('held') + count('reversed') + count('rejected')).toBe(300);

  // What the killed one had in hand comes again, and changes nothing.
  await eventually(async () => (await messagesOf(SettlementQueueUrl)).join() === '0,0', 'the queue is empty');
  const url = `${ApiUrl}/business-days/${day?.businessDate}`;
  const later = await (await fetch(url, { headers: await as('gateway') })).json();
  expect(later).toMatchObject({ status: 'balanced', totals: day?.totals });

  restarted.kill('SIGTERM');
  const ended = await restarted.end;
  expect([ended.exitCode, ended.stdout]).toEqual([
    0,
    expect.stringMatching(/Stopped after \d+ messages\.\n$/),
  ]);
}, 300_000);

test('async: a chat message reaches the inbox, one at a time', async () => {
  const notification = work(['worker', 'notification', '--batch-size', '1', '--wait', '20']);
  const { ApiUrl } = outputs.DuotempoChat;
  const sent = await fetch(`${ApiUrl}/messages`, {
    method: 'POST',
    headers: await as('user', 'alice'),
    body: JSON.stringify({ to: 'bob', text: 'are you there?', clientMessageId: 'm1' }),
  });
  expect(sent.status).toBe(201);
  const headers = await as('user', 'bob');
  await eventually(
    async () =>
      (await (await fetch(`${ApiUrl}/notifications`, { headers })).text()).includes('are you there?'),
    'the message waits in the inbox',
  );
  notification.kill('SIGTERM');
  expect(await notification.end).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Stopped after 1 message.'),
  });
});

describe('what is typed wrongly', () => {
  test.each([
    [['start', '--without-worker', 'Nothing'], 'Settlement, Reconcile, Notification, Drain'],
    [['worker', 'nothing'], 'settlement, reconcile, notification, drain'],
    [['worker', 'settlement', '--batch-size', '11'], 'a whole number from 1 to 10'],
    [['worker', 'settlement', '--wait', '21'], 'a whole number from 1 to 20'],
  ])('%j is refused, and what there is is said', async (args, said) => {
    const { exitCode, stderr } = await command(args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
  });
});

test('the image holds the bundle alone, and runs it as nobody special', () => {
  const [, image = ''] = dockerfile.split(/^FROM node:24-slim$/m);
  expect(image).toMatch(/^COPY --from=build \/duotempo\/\.build\/worker\.cjs/m);
  expect(image).toMatch(/^USER 1000$/m);
});

interface Report {
  readonly dates: readonly {
    readonly businessDate: string;
    readonly status: string;
    readonly totals: Readonly<Record<string, Readonly<Record<string, { readonly count: number }>>>>;
  }[];
}
