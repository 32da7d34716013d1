import type { StartMessageMoveTaskCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from '@jest/globals';
import { startEngines } from '../dynamodb/engines.ts';
import { eventually } from '../../eventually.ts';

// The redrive of a dead-letter queue, as `aws sqs start-message-move-task` asks for it. Every test has queues of its own.

let queues = 0;

const engines = await startEngines();
afterAll(() => engines.stop());

/** A queue and its dead-letter queue, into which messages have come by the redrive policy. */
async function deadLetters(bodies: readonly string[]) {
  queues += 1;
  const dead = engines.createQueue(`dead-${queues}`);
  const queue = engines.createQueue(`queue-${queues}`, {
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 1 }),
  });
  for (const body of bodies) await send(queue.queueUrl, body);
  // Each is received once, and the next receive finds that it was.
  await eventually(async () => {
    await receive(queue.queueUrl);
    return (await remaining(dead.queueUrl)) === bodies.length;
  });
  return { dead, queue };
}

const send = async (QueueUrl: string, MessageBody: string) =>
  engines.sqsClient.sendMessage({ QueueUrl, MessageBody });

async function receive(QueueUrl: string, VisibilityTimeout = 0) {
  const { Messages = [] } = await engines.sqsClient.receiveMessage({
    QueueUrl,
    VisibilityTimeout,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All'],
  });
  return Messages;
}

const bodies = async (url: string) => (await receive(url)).map(({ Body }) => Body).toSorted();

async function remaining(queueUrl: string): Promise<number> {
  const { body } = await engines.sqs.service.handle({
    service: 'sqs',
    action: 'GetQueueAttributes',
    request: { QueueUrl: queueUrl, AttributeNames: ['All'] },
    caller: { kind: 'operator' },
    signal: new AbortController().signal,
  });
  return Number(/"ApproximateNumberOfMessages":"(\d+)"/.exec(JSON.stringify(body))?.[1]);
}

const start = async (input: StartMessageMoveTaskCommandInput) =>
  engines.sqsClient.startMessageMoveTask(input);

async function tasksOf(SourceArn: string, MaxResults?: number) {
  const { Results = [] } = await engines.sqsClient.listMessageMoveTasks({
    SourceArn,
    ...(MaxResults === undefined ? {} : { MaxResults }),
  });
  return Results;
}

const ended = async (arn: string) =>
  eventually(async () => (await tasksOf(arn)).every(({ Status }) => Status !== 'RUNNING'));

test('messages go back to the queue they came from, as new ones', async () => {
  const { dead, queue } = await deadLetters(['a', 'b', 'c']);
  const [{ MessageId, Attributes } = {}] = await receive(dead.queueUrl);
  expect(Attributes?.['DeadLetterQueueSourceArn']).toBe(queue.queueArn);
  const { TaskHandle } = await start({ SourceArn: dead.queueArn });
  expect(TaskHandle).toMatch(/^[\w+/]+=*$/);
  await ended(dead.queueArn);
  const received = await receive(queue.queueUrl);
  expect(received.map(({ Body }) => Body).toSorted()).toEqual(['a', 'b', 'c']);
  for (const message of received) {
    expect(message.Attributes).toMatchObject({ ApproximateReceiveCount: '1' });
    expect(message.Attributes).not.toHaveProperty('DeadLetterQueueSourceArn');
    expect(message.MessageId).not.toBe(MessageId);
  }
  expect(await tasksOf(dead.queueArn)).toEqual([
    {
      Status: 'COMPLETED',
      SourceArn: dead.queueArn,
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      StartedTimestamp: expect.any(Number),
    },
  ]);
});

test('or to another one, so many a second, until the task is cancelled', async () => {
  const { dead } = await deadLetters(Array.from({ length: 30 }, (_, index) => String(index)));
  const other = engines.createQueue(`other-${queues}`);
  const at = Date.now();
  const { TaskHandle } = await start({
    SourceArn: dead.queueArn,
    DestinationArn: other.queueArn,
    MaxNumberOfMessagesPerSecond: 5,
  });
  await expect(start({ SourceArn: dead.queueArn })).rejects.toThrow('There is already a task running.');
  await eventually(async () => (await remaining(other.queueUrl)) >= 3);
  expect((await tasksOf(dead.queueArn))[0]).toMatchObject({
    TaskHandle,
    Status: 'RUNNING',
    DestinationArn: other.queueArn,
    MaxNumberOfMessagesPerSecond: 5,
    ApproximateNumberOfMessagesToMove: 30,
  });
  const { ApproximateNumberOfMessagesMoved: moved = 0 } = await engines.sqsClient.cancelMessageMoveTask({
    TaskHandle,
  });
  expect(moved).toBeGreaterThanOrEqual(3);
  expect(moved).toBeLessThanOrEqual(1 + (5 * (Date.now() - at)) / 1000);
  expect([await remaining(other.queueUrl), await remaining(dead.queueUrl)]).toEqual([moved, 30 - moved]);
  expect(await tasksOf(dead.queueArn)).toMatchObject([{ Status: 'CANCELLED' }]);
  await expect(engines.sqsClient.cancelMessageMoveTask({ TaskHandle })).rejects.toThrow(
    'Only active tasks can be cancelled.',
  );
});

test('what was sent to the dead-letter queue itself has no queue to go back to, and ends the task', async () => {
  const { dead, queue } = await deadLetters(['came by redrive']);
  await send(dead.queueUrl, 'sent by a pipe');
  await start({ SourceArn: dead.queueArn });
  await ended(dead.queueArn);
  expect(await tasksOf(dead.queueArn)).toMatchObject([
    {
      Status: 'FAILED',
      FailureReason: 'CouldNotDetermineMessageSource',
      ApproximateNumberOfMessagesMoved: 1,
    },
  ]);
  expect(await bodies(dead.queueUrl)).toEqual(['sent by a pipe']);
  await start({ SourceArn: dead.queueArn, DestinationArn: queue.queueArn });
  await ended(dead.queueArn);
  expect((await tasksOf(dead.queueArn, 10)).map(({ Status }) => Status)).toEqual(['COMPLETED', 'FAILED']);
});

test.each<[string, Partial<StartMessageMoveTaskCommandInput>, string, string]>([
  [
    'a source that is none',
    { SourceArn: 'arn:aws:sqs:us-east-1:000000000000:none' },
    'ResourceNotFoundException',
    'SourceArn',
  ],
  [
    'a destination that is none',
    { DestinationArn: 'arn:none' },
    'ResourceNotFoundException',
    'DestinationArn',
  ],
  ['a rate of 0', { MaxNumberOfMessagesPerSecond: 0 }, 'InvalidParameterValue', 'between 1 and 500'],
  ['a rate of 501', { MaxNumberOfMessagesPerSecond: 501 }, 'InvalidParameterValue', 'between 1 and 500'],
])('%s is refused', async (_, more, name, message) => {
  const { dead } = await deadLetters([]);
  await expect(start({ SourceArn: dead.queueArn, ...more })).rejects.toMatchObject({
    name,
    message: expect.stringContaining(message),
  });
});

test('a queue that is no dead-letter queue has nothing to redrive', async () => {
  const { queue } = await deadLetters([]);
  await expect(start({ SourceArn: queue.queueArn })).rejects.toThrow(
    'Source queue must be configured as a Dead Letter Queue.',
  );
  await expect(tasksOf(queue.queueArn, 11)).rejects.toThrow('MaxResults must be between 1 and 10.');
  const unknown = engines.sqsClient.cancelMessageMoveTask({ TaskHandle: 'unknown' });
  await expect(unknown).rejects.toThrow('Value for parameter TaskHandle is invalid.');
});
