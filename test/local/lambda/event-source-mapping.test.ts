import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import {
  startEventSourceMapping,
  type EventSourceMapping,
  type EventSourceMappingOptions,
} from '../../../local/lambda/event-source-mapping.ts';
import type { HostEvent } from '../../../local/services.ts';
import type { Invocation } from '../../../local/lambda/index.ts';
import { headerOfInvocation, invocationsInChain } from '../../../local/lambda/trace.ts';
import { startEngines } from '../dynamodb/engines.ts';
import { eventually } from '../../eventually.ts';

// Lambda's pollers against a real queue, with a function that is played by the test. Source of the rules: AWS Lambda
// developer guide, "Using Lambda with Amazon SQS".

const mappings: EventSourceMapping[] = [];
let queues = 0;

const engines = await startEngines();
afterAll(async () => {
  await Promise.all(mappings.map((mapping) => mapping.stop()));
  await engines.stop();
});

interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly receiptHandle: string;
  }[];
}

type Play = (event: SqsEvent, invocation: number) => Invocation | Promise<Invocation>;

const success = (payload: unknown = null): Invocation => ({ kind: 'success', payload });
const failure: Invocation = { kind: 'error', errorType: 'Error', errorMessage: 'thrown' };

/** A message that waits for its batch must not come again meanwhile. */
const outlastsWindow = { VisibilityTimeout: '30' };

function newWorker(play: Play, attributes: Readonly<Record<string, string>> = {}) {
  queues += 1;
  const queue = engines.createQueue(`worker-${queues}`, { VisibilityTimeout: '1', ...attributes });
  const invocations: SqsEvent[] = [];
  const events: HostEvent[] = [];
  const causes: (string | undefined)[] = [];
  const start = (options: Partial<EventSourceMappingOptions> = {}): Promise<EventSourceMapping> => {
    const mapping = startEventSourceMapping({
      ...queue,
      functionName: 'worker',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:worker',
      batchSize: 10,
      windowSeconds: 0,
      pollers: 5,
      reportsBatchItemFailures: true,
      region: 'us-east-1',
      callAws: engines.endpoint.callAs('arn:aws:iam::000000000000:role/worker', 'test'),
      invoke: async (_, event, cause) => {
        if (!isSqsEvent(event)) throw new Error('not an SQS event');
        causes.push(cause);
        invocations.push(event);
        return play(event, invocations.length);
      },
      onEvent: (event) => events.push(event),
      ...options,
    });
    mappings.push(mapping);
    return Promise.resolve(mapping);
  };
  return { ...queue, invocations, events, causes, start };
}

function isSqsEvent(event: unknown): event is SqsEvent {
  return typeof event === 'object' && event !== null && 'Records' in event && Array.isArray(event.Records);
}

async function send(url: string, bodies: readonly string[]): Promise<void> {
  for (let start = 0; start < bodies.length; start += 10) {
    await engines.sqsClient.sendMessageBatch({
      QueueUrl: url,
      Entries: bodies
        .slice(start, start + 10)
        .map((body, index) => ({ Id: String(index), MessageBody: body })),
    });
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => String(index));

const isEmpty =
  (queueUrl: string): (() => Promise<boolean>) =>
  async () =>
    (await remaining(queueUrl)) === 0;

async function remaining(queueUrl: string): Promise<number> {
  const { body } = await engines.sqs.service.handle({
    service: 'sqs',
    action: 'GetQueueAttributes',
    request: { QueueUrl: queueUrl, AttributeNames: ['All'] },
    caller: { kind: 'operator' },
    signal: new AbortController().signal,
  });
  const text = JSON.stringify(body);
  return [...text.matchAll(/"ApproximateNumberOfMessages\w*":"(\d+)"/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

test('a record has every field that Lambda writes, numbers as text', async () => {
  const { start, invocations, queueUrl, queueArn } = newWorker(() => success());
  await engines.sqsClient.sendMessage({
    QueueUrl: queueUrl,
    MessageBody: 'hello',
    MessageAttributes: { colour: { DataType: 'String', StringValue: 'blue' } },
  });
  await start();
  await eventually(() => invocations.length === 1);
  expect(invocations[0]?.Records).toEqual([
    {
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiptHandle: expect.any(String),
      body: 'hello',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        colour: { stringValue: 'blue', stringListValues: [], binaryListValues: [], dataType: 'String' },
      },
      md5OfMessageAttributes: expect.any(String),
      md5OfBody: '5d41402abc4b2a76b9719d911017c592',
      eventSource: 'aws:sqs',
      eventSourceARN: queueArn,
      awsRegion: 'us-east-1',
    },
  ]);
});

test.each([
  ['with a window names the MD5 of no attributes', 1, { md5OfMessageAttributes: null }],
  ['without a window leaves it out', 0, {}],
])('a mapping %s', async (_, windowSeconds, expected) => {
  const { start, invocations, queueUrl } = newWorker(() => success(), outlastsWindow);
  await send(queueUrl, ['plain']);
  await start({ windowSeconds });
  await eventually(() => invocations.length === 1);
  const keys = Object.entries(invocations[0]?.Records[0] ?? {}).filter(
    ([key]) => key === 'md5OfMessageAttributes',
  );
  expect(Object.fromEntries(keys)).toEqual(expected);
});

test('success deletes the batch', async () => {
  const { start, queueUrl, invocations, events } = newWorker(() => success());
  await send(queueUrl, numbered(12));
  await start();
  await eventually(isEmpty(queueUrl));
  expect(
    invocations.flatMap(({ Records }) => Records.map(({ body }) => Number(body))).toSorted((a, b) => a - b),
  ).toEqual(numbered(12).map(Number));
  await eventually(() => events.filter(({ type }) => type === 'batch').length === invocations.length);
});

test('a full batch goes at once, a lone message when its window is over', async () => {
  const { start, queueUrl, events, invocations } = newWorker(() => success(), outlastsWindow);
  await send(queueUrl, numbered(5));
  // More pollers might share the five among them.
  await start({ batchSize: 5, windowSeconds: 2, pollers: 1 });
  await eventually(() => invocations.length === 1);
  await send(queueUrl, ['alone']);
  await eventually(() => invocations.length === 2);
  await eventually(() => events.length === 2);
  const waited = events.map((event) => (event.type === 'batch' ? event.waitedMilliseconds : NaN));
  expect(waited[0]).toBeLessThan(1900);
  expect(waited[1]).toBeGreaterThanOrEqual(2000);
  expect(waited[1]).toBeLessThan(6000);
  expect(invocations.map(({ Records }) => Records.length)).toEqual([5, 1]);
});

test('messages that come within the window join the batch, beyond the ten of one receive', async () => {
  const { start, queueUrl, invocations } = newWorker(() => success(), outlastsWindow);
  await start({ batchSize: 25, windowSeconds: 3, pollers: 1 });
  await send(queueUrl, numbered(25));
  await eventually(() => invocations.length === 1);
  expect(invocations.map(({ Records }) => Records.length)).toEqual([25]);
});

test('each poller batches alone, and all of them work at once', async () => {
  let running = 0;
  let most = 0;
  const { start, queueUrl } = newWorker(
    async () => {
      running += 1;
      most = Math.max(most, running);
      await pause(300);
      running -= 1;
      return success();
    },
    { VisibilityTimeout: '10' },
  );
  await send(queueUrl, numbered(20));
  await start({ batchSize: 1, pollers: 3 });
  await eventually(isEmpty(queueUrl));
  expect(most).toBe(3);
});

test('a batch stays under 6 MB, its records counted whole', async () => {
  const { start, queueUrl, invocations } = newWorker(() => success(), { VisibilityTimeout: '10' });
  for (let n = 0; n < 8; n += 1) await send(queueUrl, ['x'.repeat(1_000_000)]);
  await start({ pollers: 1, windowSeconds: 1 });
  await eventually(isEmpty(queueUrl));
  const sizes = invocations.map((event) => Buffer.byteLength(JSON.stringify(event)));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6 * 1024 * 1024);
  expect(invocations.map(({ Records }) => Records.length)).toEqual([6, 2]);
});

test.each([
  ['an error', failure],
  [
    'a timeout',
    { kind: 'error', errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out' } satisfies Invocation,
  ],
  ['a throttle', { kind: 'throttled' } satisfies Invocation],
])('%s deletes nothing: the messages come again after the visibility timeout', async (_, outcome) => {
  const times: number[] = [];
  const { start, queueUrl, invocations } = newWorker((__, count) => {
    times.push(Date.now());
    return count === 1 ? outcome : success();
  });
  await send(queueUrl, ['again']);
  await start();
  await eventually(() => invocations.length === 2);
  await eventually(isEmpty(queueUrl));
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(950);
});

test('only the reported failures come again, and after their receives they are in the dead-letter queue', async () => {
  const deadLetters = engines.createQueue(`dead-${queues}`);
  const { start, queueUrl, invocations } = newWorker(
    ({ Records }) =>
      success({
        batchItemFailures: Records.filter(({ body }) => body === 'poison').map(({ messageId }) => ({
          itemIdentifier: messageId,
        })),
      }),
    { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.queueArn, maxReceiveCount: 2 }) },
  );
  await send(queueUrl, ['fine', 'poison', 'fine too']);
  await start();
  await eventually(isEmpty(queueUrl));
  const bodies = invocations.flatMap(({ Records }) => Records.map(({ body }) => body));
  expect(bodies.filter((body) => body === 'poison')).toHaveLength(2);
  expect(bodies.filter((body) => body !== 'poison')).toHaveLength(2);
  const { Messages } = await engines.sqsClient.receiveMessage({ QueueUrl: deadLetters.queueUrl });
  expect(Messages?.map(({ Body }) => Body)).toEqual(['poison']);
});

test('what has invoked the function 16 times goes to the dead-letter queue, and the rest to the function', async () => {
  const [dead, { start, invocations, events, queueUrl, queueName, causes }] = loopingWorker();
  const deadLetter = (receiptHandles: readonly string[]): void =>
    engines.sqs.deadLetter(`arn:aws:sqs:us-east-1:000000000000:${queueName}`, receiptHandles);
  await sendInChains(queueUrl, { first: 0, fifteenth: 15, sixteenth: 16, later: 17 });
  await start({ deadLetter, windowSeconds: 1, pollers: 1 });
  await eventually(isEmpty(queueUrl));
  expect(invocations.flatMap(({ Records }) => Records.map(({ body }) => body)).toSorted()).toEqual([
    'fifteenth',
    'first',
  ]);
  expect(await remaining(dead)).toBe(2);
  const dropped = events.flatMap((event) => (event.type === 'recursion' ? [event.messages] : []));
  expect(dropped.reduce((sum, messages) => sum + messages, 0)).toBe(2);
  // The batch goes on the longest of its chains.
  expect(causes.map((cause) => invocationsInChain(cause, worker))).toContain(15);
});

test('a function that allows recursion may be invoked any number of times', async () => {
  const [dead, { start, invocations, queueUrl }] = loopingWorker();
  await sendInChains(queueUrl, { sixteenth: 16, later: 100 });
  await start({ pollers: 1 });
  await eventually(isEmpty(queueUrl));
  expect(invocations.flatMap(({ Records }) => Records)).toHaveLength(2);
  expect(await remaining(dead)).toBe(0);
});

const worker = 'arn:aws:lambda:us-east-1:000000000000:function:worker';

function loopingWorker() {
  queues += 1;
  const dead = engines.createQueue(`dead-${queues}`);
  const policy = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 5 });
  return [dead.queueUrl, newWorker(() => success(), { ...outlastsWindow, RedrivePolicy: policy })] as const;
}

/** Sends messages, each of a chain that has invoked the worker so often. */
async function sendInChains(queueUrl: string, chains: Readonly<Record<string, number>>): Promise<void> {
  for (const [body, invocationsSoFar] of Object.entries(chains)) {
    let header: string | undefined;
    for (let count = 0; count < invocationsSoFar; count++) header = headerOfInvocation(worker, header);
    await engines.sqsClient.sendMessage({
      QueueUrl: queueUrl,
      MessageBody: body,
      ...(header === undefined
        ? {}
        : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: header } } }),
    });
  }
}

test('without ReportBatchItemFailures what the function returns does not matter', async () => {
  const { start, queueUrl, invocations } = newWorker(({ Records }) =>
    success({ batchItemFailures: [{ itemIdentifier: Records[0]?.messageId }] }),
  );
  await send(queueUrl, ['done']);
  await start({ reportsBatchItemFailures: false });
  await eventually(() => invocations.length === 1);
  await eventually(isEmpty(queueUrl));
  expect(invocations).toHaveLength(1);
});

test('pollers call as the function’s role', async () => {
  const callers = new Set<string>();
  const watched = await startEngines({
    authorize: ({ caller, action }) => {
      callers.add(`${action} ${caller.kind === 'role' ? caller.roleArn : caller.kind}`);
      return { allowed: true };
    },
  });
  const { start, invocations } = newWorker(() => success());
  const queue = watched.createQueue('watched');
  await watched.sqsClient.sendMessage({ QueueUrl: queue.queueUrl, MessageBody: 'x' });
  const roleArn = 'arn:aws:iam::000000000000:role/settler';
  const mapping = await start({
    ...queue,
    callAws: watched.endpoint.callAs(roleArn, 'test'),
  });
  await eventually(() => invocations.length === 1);
  await eventually(() => callers.size === 3);
  await mapping.stop();
  await watched.stop();
  expect(callers).toEqual(
    new Set(['SendMessage operator', `ReceiveMessage ${roleArn}`, `DeleteMessageBatch ${roleArn}`]),
  );
});

test('stopping ends long polls at once', async () => {
  const { start } = newWorker(() => success());
  const mapping = await start();
  await pause(200);
  const startedAt = Date.now();
  await mapping.stop();
  expect(Date.now() - startedAt).toBeLessThan(1000);
});
