import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createFauxqs } from '../../local/fauxqs.ts';
import { startEngines, until } from './engines.ts';

// Amazon SQS as programs meet it: through the SDK, on the endpoint. Every test has a queue of its own.

let engines: Awaited<ReturnType<typeof startEngines>>;
let queues = 0;

beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines.stop());

function newQueue(attributes: Readonly<Record<string, string>> = {}): {
  url: string;
  arn: string;
  name: string;
} {
  queues += 1;
  const { queueUrl, queueArn, queueName } = engines.createQueue(`queue-${queues}`, attributes);
  return { url: queueUrl, arn: queueArn, name: queueName };
}

const send = (url: string, body: string, delaySeconds?: number) =>
  engines.sqsClient.send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: body,
      ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
    }),
  );

async function receive(url: string, more: Partial<ReceiveMessageCommandInput> = {}) {
  const { Messages = [] } = await engines.sqsClient.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
      ...more,
    }),
  );
  return Messages;
}

async function counts(url: string): Promise<readonly number[]> {
  const { Attributes = {} } = await engines.sqsClient.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
  );
  return [
    Number(Attributes.ApproximateNumberOfMessages),
    Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    Number(Attributes.ApproximateNumberOfMessagesDelayed),
  ];
}

test('a received message is invisible until its visibility timeout, then comes again with a higher receive count', async () => {
  const { url } = newQueue({ VisibilityTimeout: '1' });
  await send(url, 'once more');
  const [first] = await receive(url);
  expect(first?.Attributes?.['ApproximateReceiveCount']).toBe('1');
  expect(await receive(url)).toEqual([]);
  expect(await counts(url)).toEqual([0, 1, 0]);

  const [second] = await receive(url, { WaitTimeSeconds: 5 });
  expect(second?.MessageId).toBe(first?.MessageId);
  expect(second?.Attributes?.['ApproximateReceiveCount']).toBe('2');
  expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
});

test('the counts settle after the visibility timeout though nobody polls', async () => {
  const { url } = newQueue({ VisibilityTimeout: '1' });
  await send(url, 'left alone');
  await receive(url);
  await until(async () => (await counts(url))[0] === 1);
  expect(await counts(url)).toEqual([1, 0, 0]);
});

test('a deleted message does not come again', async () => {
  const { url } = newQueue({ VisibilityTimeout: '0' });
  await send(url, 'gone');
  const [message] = await receive(url, { VisibilityTimeout: 30 });
  await engines.sqsClient.send(
    new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }),
  );
  expect(await counts(url)).toEqual([0, 0, 0]);
});

test('the latest receipt still deletes after the visibility timeout, an older one does not', async () => {
  const { url } = newQueue({ VisibilityTimeout: '1' });
  await send(url, 'slow');
  const [first] = await receive(url);
  const [second] = await receive(url, { WaitTimeSeconds: 5 });
  await engines.sqsClient.send(
    new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }),
  );
  await until(async () => (await counts(url))[0] === 1);
  await engines.sqsClient.send(
    new DeleteMessageBatchCommand({
      QueueUrl: url,
      Entries: [{ Id: 'a', ReceiptHandle: second?.ReceiptHandle }],
    }),
  );
  expect(await counts(url)).toEqual([0, 0, 0]);
});

test('a visibility timeout can be changed for one message, to 0 too', async () => {
  const { url } = newQueue({ VisibilityTimeout: '30' });
  await send(url, 'back at once');
  const [message] = await receive(url);
  await engines.sqsClient.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout: 0,
    }),
  );
  expect(await receive(url)).toHaveLength(1);
});

test('a message past its receive limit goes to the dead-letter queue', async () => {
  const deadLetters = newQueue();
  const { url } = newQueue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 3 }),
  });
  const { MessageId } = await send(url, 'poison');
  for (const count of ['1', '2', '3']) {
    const [message] = await receive(url);
    expect(message?.Attributes?.['ApproximateReceiveCount']).toBe(count);
  }
  expect(await receive(url)).toEqual([]);
  const [dead] = await receive(deadLetters.url);
  expect([dead?.MessageId, dead?.Body]).toEqual([MessageId, 'poison']);
});

test('a delayed message shows after its delay, and a delay over 900 s is refused', async () => {
  const { url } = newQueue();
  const sentAt = Date.now();
  await send(url, 'later', 1);
  expect(await counts(url)).toEqual([0, 0, 1]);
  expect(await receive(url)).toEqual([]);
  expect(await receive(url, { WaitTimeSeconds: 5 })).toHaveLength(1);
  expect(Date.now() - sentAt).toBeGreaterThanOrEqual(1000);
  await expect(send(url, 'too late', 901)).rejects.toThrow('DelaySeconds must be >= 0 and <= 900');
});

test('messages older than the retention period are dropped', async () => {
  const { url } = newQueue({ MessageRetentionPeriod: '60' });
  await send(url, 'old');
  const clock = Date.now;
  const minuteLater = jest.spyOn(Date, 'now').mockImplementation(() => clock() + 61_000);
  await send(url, 'young');
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(['young']);
  minuteLater.mockRestore();
});

test('a long poll answers as soon as a message arrives, and those who get none wait on', async () => {
  const { url } = newQueue();
  let done = 0;
  const startedAt = Date.now();
  const polls = Array.from({ length: 4 }, async () => {
    const messages = await receive(url, { WaitTimeSeconds: 5 });
    done += messages.length;
    return { messages: messages.length, milliseconds: Date.now() - startedAt };
  });
  await send(url, 'one for four');
  await until(() => done === 1);
  expect(Date.now() - startedAt).toBeLessThan(4000);
  const answers = await Promise.all(polls);
  expect(
    answers.filter(({ messages }) => messages === 0).map(({ milliseconds }) => milliseconds >= 5000),
  ).toEqual([true, true, true]);
});

test('a client that goes away during a long poll takes no message with it', async () => {
  const { url } = newQueue();
  const leaving = new AbortController();
  const poll = engines.sqsClient.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }), {
    abortSignal: leaving.signal,
  });
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  leaving.abort();
  await expect(poll).rejects.toThrow('aborted');
  // The host learns of it through the connection.
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  await send(url, 'still there');
  expect(await receive(url)).toHaveLength(1);
});

test('a batch takes at most ten messages and 1 MiB in all', async () => {
  const { url } = newQueue();
  const batch = (count: number, bytes: number) =>
    engines.sqsClient.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: Array.from({ length: count }, (_, index) => ({
          Id: String(index),
          MessageBody: 'x'.repeat(bytes),
        })),
      }),
    );
  await expect(batch(11, 1)).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' });
  await expect(batch(2, 600_000)).rejects.toMatchObject({ name: 'BatchRequestTooLong' });
  expect((await batch(10, 100)).Successful).toHaveLength(10);
  await expect(receive(url, { MaxNumberOfMessages: 11 })).rejects.toThrow('Must be between 1 and 10');
});

test('a body is text that XML can hold, an emoji among it; others are refused', async () => {
  const { url } = newQueue();
  await send(url, 'a\t💥\u{10ffff}\ufffd');
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(['a\t💥\u{10ffff}\ufffd']);
  for (const body of ['a\u0000', '\u000b', '\uffff']) {
    await expect(send(url, body)).rejects.toThrow('Invalid characters found');
  }
  const { Failed = [] } = await engines.sqsClient.send(
    new SendMessageBatchCommand({
      QueueUrl: url,
      Entries: [
        { Id: 'whole', MessageBody: '💥' },
        { Id: 'none', MessageBody: '\u0001' },
      ],
    }),
  );
  expect(Failed.map(({ Id, Code }) => [Id, Code])).toEqual([['none', 'InvalidMessageContents']]);
});

test('system attributes come when asked for, message attributes only then', async () => {
  const { url } = newQueue({ VisibilityTimeout: '0' });
  await engines.sqsClient.send(
    new SendMessageCommand({
      QueueUrl: url,
      MessageBody: 'with attributes',
      MessageAttributes: { colour: { DataType: 'String', StringValue: 'blue' } },
    }),
  );
  const [plain] = await receive(url, { MessageSystemAttributeNames: [] });
  expect([plain?.Attributes, plain?.MessageAttributes]).toEqual([undefined, undefined]);
  const [full] = await receive(url, { MessageAttributeNames: ['All'] });
  expect(full?.MessageAttributes).toMatchObject({ colour: { StringValue: 'blue' } });
  expect(Object.keys(full?.Attributes ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'ApproximateFirstReceiveTimestamp',
    'ApproximateReceiveCount',
    'SenderId',
    'SentTimestamp',
  ]);
});

test('a message keeps the trace header of the function that sent it, or the one it was sent with', async () => {
  const { url } = newQueue();
  const header =
    'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a87bd80c:1';
  const given = header.replace('a87bd80c:1', '68fd508a:5');
  const system = { AWSTraceHeader: { DataType: 'String' as const, StringValue: given } };
  Object.assign(process.env, { AWS_LAMBDA_FUNCTION_NAME: 'worker', _X_AMZN_TRACE_ID: header });
  try {
    await send(url, 'sent by a function');
    await send(url, 'sent with a delay', 1);
    await engines.sqsClient.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: [
          { Id: 'a', MessageBody: 'of a batch' },
          { Id: 'b', MessageBody: 'given', MessageSystemAttributes: system },
        ],
      }),
    );
  } finally {
    delete process.env['AWS_LAMBDA_FUNCTION_NAME'];
    delete process.env['_X_AMZN_TRACE_ID'];
  }
  await send(url, 'sent by hand');
  const seen = new Map<string | undefined, string | undefined>();
  await until(async () => {
    for (const { Body, Attributes = {} } of await receive(url)) seen.set(Body, Attributes['AWSTraceHeader']);
    return seen.size === 5;
  });
  expect(Object.fromEntries(seen)).toEqual({
    'sent by a function': header,
    'sent with a delay': header,
    'of a batch': header,
    given,
    'sent by hand': undefined,
  });
});

test('the trace header comes only when asked for, and goes along to the dead-letter queue', async () => {
  const dead = newQueue();
  const { url } = newQueue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
  });
  const system = { AWSTraceHeader: { DataType: 'String' as const, StringValue: 'Root=1' } };
  await engines.sqsClient.send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: 'x', MessageSystemAttributes: system }),
  );
  const [unasked] = await receive(url, { MessageSystemAttributeNames: ['SentTimestamp'] });
  expect(Object.keys(unasked?.Attributes ?? {})).toEqual(['SentTimestamp']);
  expect(await receive(url)).toEqual([]);
  expect(await receive(dead.url)).toMatchObject([{ Attributes: { AWSTraceHeader: 'Root=1' } }]);
});

test('a purge empties the queue', async () => {
  const { url } = newQueue();
  await Promise.all([send(url, 'a'), send(url, 'b', 5)]);
  await engines.sqsClient.send(new PurgeQueueCommand({ QueueUrl: url }));
  expect(await counts(url)).toEqual([0, 0, 0]);
});

test('a queue is known by its name and by any host its url is called by', async () => {
  const { url, name } = newQueue();
  const { QueueUrl } = await engines.sqsClient.send(new GetQueueUrlCommand({ QueueName: name }));
  expect(QueueUrl).toBe(url);
  await send(url, 'here');
  expect(await receive(url.replace('localhost', '127.0.0.1'))).toHaveLength(1);
  await expect(send(`${url}-not`, 'nowhere')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});

test('an operation that the host lacks is refused by name', async () => {
  const attempt = engines.sqsClient.send(new CreateQueueCommand({ QueueName: 'by-hand' }));
  await expect(attempt).rejects.toThrow("The local host's SQS does not have the operation CreateQueue.");
});

test('5,000 messages come out of a queue, one and all', async () => {
  const { url } = newQueue({ VisibilityTimeout: '60' });
  for (let start = 0; start < 5000; start += 100) {
    await Promise.all(
      Array.from({ length: 10 }, (_, batch) =>
        engines.sqsClient.send(
          new SendMessageBatchCommand({
            QueueUrl: url,
            Entries: Array.from({ length: 10 }, (__, index) => ({
              Id: String(index),
              MessageBody: `message ${start + batch * 10 + index}`,
            })),
          }),
        ),
      ),
    );
  }
  const bodies = new Set<string | undefined>();
  while (bodies.size < 5000) for (const { Body } of await receive(url)) bodies.add(Body);
  expect(await receive(url)).toEqual([]);
});

test('canary: fauxqs is built as the host expects it', () => {
  const { store, actions } = createFauxqs();
  const queue = store.createQueue(
    'canary',
    'http://localhost/000000000000/canary',
    'arn:aws:sqs:::canary',
    {},
  );
  expect(queue).toMatchObject({ messages: [], delayedMessages: [], pollWaiters: [] });
  expect(queue.inflightMessages).toBeInstanceOf(Map);
  for (const method of ['processTimers', 'waitForMessages', 'getAttribute'] as const) {
    expect(typeof queue[method]).toBe('function');
  }
  for (const action of actions.values()) expect(typeof action).toBe('function');
});
