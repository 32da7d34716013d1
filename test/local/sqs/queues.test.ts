import { setTimeout as pause } from 'node:timers/promises';
import type {
  ListQueuesCommandInput,
  MessageAttributeValue,
  ReceiveMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { afterAll, expect, jest, test } from '@jest/globals';
import { FAUXQS, SqsStore } from '../../../local/sqs/fauxqs.ts';
import { startEngines } from '../dynamodb/engines.ts';
import { eventually } from '../../eventually.ts';

// Amazon SQS as programs meet it: through the SDK, on the endpoint. Every test has a queue of its own.

let queues = 0;

const engines = await startEngines();
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
  engines.sqsClient.sendMessage({
    QueueUrl: url,
    MessageBody: body,
    ...(delaySeconds === undefined ? {} : { DelaySeconds: delaySeconds }),
  });

async function receive(url: string, more: Partial<ReceiveMessageCommandInput> = {}) {
  const { Messages = [] } = await engines.sqsClient.receiveMessage({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ['All'],
    ...more,
  });
  return Messages;
}

async function counts(url: string): Promise<readonly number[]> {
  const { Attributes = {} } = await engines.sqsClient.getQueueAttributes({
    QueueUrl: url,
    AttributeNames: ['All'],
  });
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
  await eventually(async () => (await counts(url))[0] === 1);
  expect(await counts(url)).toEqual([1, 0, 0]);
});

test('a deleted message does not come again', async () => {
  const { url } = newQueue({ VisibilityTimeout: '0' });
  await send(url, 'gone');
  const [message] = await receive(url, { VisibilityTimeout: 30 });
  await engines.sqsClient.deleteMessage({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle });
  expect(await counts(url)).toEqual([0, 0, 0]);
});

test('the latest receipt still deletes after the visibility timeout, an older one does not', async () => {
  const { url } = newQueue({ VisibilityTimeout: '1' });
  await send(url, 'slow');
  const [first] = await receive(url);
  const [second] = await receive(url, { WaitTimeSeconds: 5 });
  await engines.sqsClient.deleteMessage({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle });
  await eventually(async () => (await counts(url))[0] === 1);
  await engines.sqsClient.deleteMessageBatch({
    QueueUrl: url,
    Entries: [{ Id: 'a', ReceiptHandle: second?.ReceiptHandle }],
  });
  expect(await counts(url)).toEqual([0, 0, 0]);
});

test('a visibility timeout can be changed for one message, to 0 too', async () => {
  const { url } = newQueue({ VisibilityTimeout: '30' });
  await send(url, 'back at once');
  const [message] = await receive(url);
  await engines.sqsClient.changeMessageVisibility({
    QueueUrl: url,
    ReceiptHandle: message?.ReceiptHandle,
    VisibilityTimeout: 0,
  });
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

test('a dead letter says where it comes from, and its receive count goes on', async () => {
  const deadLetters = newQueue();
  const { url, arn } = newQueue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 1 }),
  });
  await send(url, 'poison');
  await receive(url);
  expect(await receive(url)).toEqual([]);
  const [dead] = await receive(deadLetters.url, {
    MessageSystemAttributeNames: ['ApproximateReceiveCount', 'DeadLetterQueueSourceArn'],
  });
  expect(dead?.Attributes).toEqual({ ApproximateReceiveCount: '2', DeadLetterQueueSourceArn: arn });
});

test('what is empty is left out, so that code which counts on it throws here, too', async () => {
  const { url } = newQueue();
  const { Messages } = await engines.sqsClient.receiveMessage({ QueueUrl: url });
  const sent = await engines.sqsClient.sendMessageBatch({
    QueueUrl: url,
    Entries: [{ Id: 'a', MessageBody: 'a' }],
  });
  const refused = await engines.sqsClient.sendMessageBatch({
    QueueUrl: url,
    Entries: [{ Id: 'a', MessageBody: '\u0000' }],
  });
  const listed = await engines.sqsClient.listQueues({ QueueNamePrefix: 'none-such' });
  const shown = await engines.sqsClient.getQueueAttributes({ QueueUrl: url });
  const tagged = await engines.sqsClient.listQueueTags({ QueueUrl: url });
  expect([Messages, sent.Failed, refused.Successful]).toEqual([undefined, undefined, undefined]);
  expect([listed.QueueUrls, shown.Attributes, tagged.Tags]).toEqual([undefined, undefined, undefined]);
});

const settle = (url: string, ReceiptHandle: string | undefined) =>
  engines.sqsClient.deleteMessage({ QueueUrl: url, ReceiptHandle });

const hide = (url: string, ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
  engines.sqsClient.changeMessageVisibility({ QueueUrl: url, ReceiptHandle, VisibilityTimeout });

test('what is no receipt handle is refused; that of a deleted message deletes again, but hides nothing', async () => {
  const { url } = newQueue();
  const invalid = { name: 'ReceiptHandleIsInvalid' };
  await expect(settle(url, 'garbage')).rejects.toMatchObject(invalid);
  await expect(hide(url, 'garbage', 1)).rejects.toMatchObject(invalid);
  await send(url, 'gone');
  const [message] = await receive(url);
  await settle(url, message?.ReceiptHandle);
  await settle(url, message?.ReceiptHandle);
  await expect(hide(url, message?.ReceiptHandle, 1)).rejects.toMatchObject({
    name: 'InvalidParameterValue',
    message: `Value ${message?.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
  });
  const { Successful, Failed } = await engines.sqsClient.deleteMessageBatch({
    QueueUrl: url,
    Entries: [
      { Id: 'deleted', ReceiptHandle: message?.ReceiptHandle },
      { Id: 'none', ReceiptHandle: 'garbage' },
    ],
  });
  expect(Successful).toEqual([{ Id: 'deleted' }]);
  expect(Failed).toMatchObject([{ Id: 'none', Code: 'ReceiptHandleIsInvalid', SenderFault: true }]);
});

test('a visibility timeout is changed by any receipt of the message, after it has passed, too', async () => {
  const { url } = newQueue();
  await send(url, 'twice');
  const [first] = await receive(url, { VisibilityTimeout: 0 });
  const [second] = await receive(url, { VisibilityTimeout: 30 });
  await hide(url, first?.ReceiptHandle, 0);
  expect(await receive(url, { VisibilityTimeout: 0 })).toHaveLength(1);
  expect(await counts(url)).toEqual([1, 0, 0]);
  await hide(url, second?.ReceiptHandle, 30);
  expect(await counts(url)).toEqual([0, 1, 0]);
});

test('a message that comes back comes before younger ones', async () => {
  const { url } = newQueue();
  await send(url, 'older');
  const [older] = await receive(url);
  await eventually(() => Date.now() > Number(older?.Attributes?.SentTimestamp));
  await send(url, 'younger');
  await hide(url, older?.ReceiptHandle, 0);
  expect((await receive(url)).map(({ Body }) => Body)).toEqual(['older', 'younger']);
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
  await eventually(() => done === 1);
  expect(Date.now() - startedAt).toBeLessThan(4000);
  const answers = await Promise.all(polls);
  expect(
    answers.filter(({ messages }) => messages === 0).map(({ milliseconds }) => milliseconds >= 5000),
  ).toEqual([true, true, true]);
});

test('a client that goes away during a long poll takes no message with it', async () => {
  const { url } = newQueue();
  const leaving = new AbortController();
  const poll = engines.sqsClient.receiveMessage(
    { QueueUrl: url, WaitTimeSeconds: 20 },
    {
      abortSignal: leaving.signal,
    },
  );
  await pause(100);
  leaving.abort();
  await expect(poll).rejects.toThrow('aborted');
  // The host learns of it through the connection.
  await pause(100);
  await send(url, 'still there');
  expect(await receive(url)).toHaveLength(1);
});

test('a batch takes at most ten messages and 1 MiB in all', async () => {
  const { url } = newQueue();
  const batch = (count: number, bytes: number) =>
    engines.sqsClient.sendMessageBatch({
      QueueUrl: url,
      Entries: Array.from({ length: count }, (_, index) => ({
        Id: String(index),
        MessageBody: 'x'.repeat(bytes),
      })),
    });
  await expect(batch(11, 1)).rejects.toMatchObject({
    name: 'TooManyEntriesInBatchRequest',
    message: 'Maximum number of entries per request are 10. You have sent 11.',
  });
  await expect(batch(2, 600_000)).rejects.toMatchObject({
    name: 'BatchRequestTooLong',
    message: 'Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.',
  });
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
  const { Failed = [] } = await engines.sqsClient.sendMessageBatch({
    QueueUrl: url,
    Entries: [
      { Id: 'whole', MessageBody: '💥' },
      { Id: 'none', MessageBody: '\u0001' },
    ],
  });
  expect(Failed.map(({ Id, Code }) => [Id, Code])).toEqual([['none', 'InvalidMessageContents']]);
});

const sendWith = (url: string, MessageAttributes: Record<string, MessageAttributeValue>) =>
  engines.sqsClient.sendMessage({ QueueUrl: url, MessageBody: 'with attributes', MessageAttributes });
const text = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });

test.each<[string, Record<string, MessageAttributeValue>, string]>([
  ['an empty value', { a: text('') }, "'a' must contain a non-empty value of type 'String'"],
  ['no value', { a: { DataType: 'String' } }, "'a' must contain a non-empty value of type 'String'"],
  ['no binary value', { a: text('x', 'Binary') }, "'a' must contain a non-empty value of type 'Binary'"],
  ['control characters', { a: text('\u0008') }, 'not valid'],
  ['a number that is none', { a: text('x', 'Number') }, "Can't cast"],
  ['an unknown type', { a: text('x', 'Date') }, 'invalid message attribute type'],
  ['no type', { a: text('x', '') }, 'non-empty message attribute type'],
  ['a type too long', { a: text('1', `Number.${'x'.repeat(256)}`) }, 'types must be shorter than 256'],
  ['a name too long', { [`a${'x'.repeat(256)}`]: text('x') }, 'names must be shorter than 256'],
  ...['!', '"', '§', '(', '?'].map((character): [string, Record<string, MessageAttributeValue>, string] => [
    `a name with ${character}`,
    { [`a${character}`]: text('x') },
    'can only contain',
  ]),
  ...['aWs.a', 'AMAZON.a', '.a', 'a.'].map(
    (name): [string, Record<string, MessageAttributeValue>, string] => [
      `the name ${name}`,
      { [name]: text('x') },
      'reserved for internal use',
    ],
  ),
  [
    'eleven of them',
    Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, text('x')])),
    'exceeds the allowed maximum [10]',
  ],
])('message attributes with %s are refused', async (_, attributes, message) => {
  const { url } = newQueue();
  await expect(sendWith(url, attributes)).rejects.toMatchObject({
    name: 'InvalidParameterValue',
    message: expect.stringContaining(message),
  });
  await sendWith(url, { 'a.1øßä': text('1.5e3', 'Number.float') });
});

test.each([
  [['All'], ['General', 'Hello', 'Help.Me'], '4c360f3fdafd970e05fae2f149d997f5'],
  [['*'], ['General', 'Hello', 'Help.Me'], '4c360f3fdafd970e05fae2f149d997f5'],
  [['Hel.*'], ['Hello', 'Help.Me'], '83fee93c1bcd8b9a5a923ffacdc636c7'],
  [['Foo', 'Hello'], ['Hello'], 'a311262e065454b75da111d535b8dacd'],
  [['Help'], [], undefined],
])('%j selects message attributes, and the MD5 is that of the selection', async (names, selected, digest) => {
  const { url } = newQueue();
  await sendWith(url, { 'Help.Me': text('Me'), Hello: text('There'), General: text('Kenobi') });
  const [message] = await receive(url, { MessageAttributeNames: names });
  expect(Object.keys(message?.MessageAttributes ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual(
    selected,
  );
  expect(message?.MD5OfMessageAttributes).toBe(digest);
});

test.each<[string, Record<string, string>, string]>([
  ['no limit', { deadLetterTargetArn: 'arn' }, 'mandatory attribute: maxReceiveCount'],
  ['no queue', { maxReceiveCount: '1' }, 'mandatory attribute: deadLetterTargetArn'],
  ['a limit that is none', { deadLetterTargetArn: 'arn', maxReceiveCount: 'often' }, 'from 1 to 1000'],
  ['a queue that is not there', { deadLetterTargetArn: 'arn', maxReceiveCount: '1' }, 'does not exist'],
])('a redrive policy with %s is refused', async (_, policy, message) => {
  const { url } = newQueue();
  const Attributes = { RedrivePolicy: JSON.stringify(policy) };
  await expect(engines.sqsClient.setQueueAttributes({ QueueUrl: url, Attributes })).rejects.toMatchObject({
    name: 'InvalidParameterValue',
    message: expect.stringContaining(message),
  });
});

test('queues are listed in pages', async () => {
  const names = ['paged-a', 'paged-b', 'paged-c'].map((name) => engines.createQueue(name).queueUrl);
  const list = (more: ListQueuesCommandInput) =>
    engines.sqsClient.listQueues({ QueueNamePrefix: 'paged-', ...more });
  const first = await list({ MaxResults: 2 });
  expect(first.QueueUrls).toEqual(names.slice(0, 2));
  const second = await list({ MaxResults: 2, NextToken: first.NextToken });
  expect([second.QueueUrls, second.NextToken]).toEqual([names.slice(2), undefined]);
  expect((await list({})).QueueUrls).toEqual(names);
});

test('an error has the names that AWS gives it: of the JSON protocol and of the older one', async () => {
  const { url } = newQueue();
  const call = async (action: string, request: object) => {
    const response = await fetch(engines.endpoint.url, {
      method: 'POST',
      headers: { 'x-amz-target': `AmazonSQS.${action}`, 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ QueueUrl: url, ...request }),
    });
    const { __type: type } = (await response.json()) as { readonly __type: string };
    return [response.status, type, response.headers.get('x-amzn-query-error')];
  };
  const coral = 'com.amazon.coral.service#';
  const sqs = 'com.amazonaws.sqs#';
  const longId = { Entries: [{ Id: 'x'.repeat(81), ReceiptHandle: 'x' }] };
  expect([
    await call('ReceiveMessage', { MaxNumberOfMessages: 11 }),
    await call('SendMessage', { MessageBody: '' }),
    await call('GetQueueAttributes', { AttributeNames: ['Colour'] }),
    await call('SetQueueAttributes', { Attributes: { VisibilityTimeout: '-1' } }),
    await call('DeleteMessage', { ReceiptHandle: 'garbage' }),
    await call('DeleteMessageBatch', longId),
    await call('ReceiveMessage', { QueueUrl: 'none-such' }),
  ]).toEqual([
    [400, `${coral}InvalidParameterValueException`, 'InvalidParameterValue;Sender'],
    [400, `${coral}MissingRequiredParameterException`, 'MissingParameter;Sender'],
    [400, `${sqs}InvalidAttributeName`, 'InvalidAttributeName;Sender'],
    [400, `${sqs}InvalidAttributeValue`, 'InvalidAttributeValue;Sender'],
    [404, `${sqs}ReceiptHandleIsInvalid`, 'ReceiptHandleIsInvalid;Sender'],
    [400, `${sqs}InvalidBatchEntryId`, 'AWS.SimpleQueueService.InvalidBatchEntryId;Sender'],
    [400, `${sqs}QueueDoesNotExist`, 'AWS.SimpleQueueService.NonExistentQueue;Sender'],
  ]);
});

test('system attributes come when asked for, message attributes only then', async () => {
  const { url } = newQueue({ VisibilityTimeout: '0' });
  await engines.sqsClient.sendMessage({
    QueueUrl: url,
    MessageBody: 'with attributes',
    MessageAttributes: { colour: { DataType: 'String', StringValue: 'blue' } },
  });
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
    await engines.sqsClient.sendMessageBatch({
      QueueUrl: url,
      Entries: [
        { Id: 'a', MessageBody: 'of a batch' },
        { Id: 'b', MessageBody: 'given', MessageSystemAttributes: system },
      ],
    });
  } finally {
    delete process.env['AWS_LAMBDA_FUNCTION_NAME'];
    delete process.env['_X_AMZN_TRACE_ID'];
  }
  await send(url, 'sent by hand');
  const seen = new Map<string | undefined, string | undefined>();
  await eventually(async () => {
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

test('a receiver that waits already gets the trace header, too', async () => {
  const { url } = newQueue();
  const system = { AWSTraceHeader: { DataType: 'String' as const, StringValue: 'Root=1' } };
  for (let round = 0; round < 5; round++) {
    const received = receive(url, { WaitTimeSeconds: 20 });
    // The queue is asked once without waiting, so a call that was sent later is answered when the receiver waits.
    await counts(url);
    await engines.sqsClient.sendMessage({ QueueUrl: url, MessageBody: 'x', MessageSystemAttributes: system });
    expect(await received).toMatchObject([{ Attributes: { AWSTraceHeader: 'Root=1' } }]);
  }
});

test('the trace header comes only when asked for, and goes along to the dead-letter queue', async () => {
  const dead = newQueue();
  const { url } = newQueue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
  });
  const system = { AWSTraceHeader: { DataType: 'String' as const, StringValue: 'Root=1' } };
  await engines.sqsClient.sendMessage({ QueueUrl: url, MessageBody: 'x', MessageSystemAttributes: system });
  const [unasked] = await receive(url, { MessageSystemAttributeNames: ['SentTimestamp'] });
  expect(Object.keys(unasked?.Attributes ?? {})).toEqual(['SentTimestamp']);
  expect(await receive(url)).toEqual([]);
  expect(await receive(dead.url)).toMatchObject([{ Attributes: { AWSTraceHeader: 'Root=1' } }]);
});

test('a purge empties the queue, once a minute', async () => {
  const { url, name } = newQueue();
  await Promise.all([send(url, 'a'), send(url, 'b', 5)]);
  const purge = () => engines.sqsClient.purgeQueue({ QueueUrl: url });
  await purge();
  expect(await counts(url)).toEqual([0, 0, 0]);
  await expect(purge()).rejects.toMatchObject({
    name: 'PurgeQueueInProgress',
    message: `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`,
  });
});

test('a queue is known by its name and by any host its url is called by', async () => {
  const { url, name } = newQueue();
  const { QueueUrl } = await engines.sqsClient.getQueueUrl({ QueueName: name });
  expect(QueueUrl).toBe(url);
  await send(url, 'here');
  expect(await receive(url.replace('localhost', '127.0.0.1'))).toHaveLength(1);
  expect((await send(name, 'by name')).MessageId).toEqual(expect.any(String));
  await expect(send(`${url}-not`, 'nowhere')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
});

test('an operation that the host lacks is refused by name', async () => {
  const attempt = engines.sqsClient.createQueue({ QueueName: 'by-hand' });
  await expect(attempt).rejects.toThrow('The local AWS endpoint does not serve sqs: CreateQueue.');
});

test('5,000 messages come out of a queue, one and all', async () => {
  const { url } = newQueue({ VisibilityTimeout: '60' });
  for (let start = 0; start < 5000; start += 100) {
    await Promise.all(
      Array.from({ length: 10 }, (_, batch) =>
        engines.sqsClient.sendMessageBatch({
          QueueUrl: url,
          Entries: Array.from({ length: 10 }, (__, index) => ({
            Id: String(index),
            MessageBody: `message ${start + batch * 10 + index}`,
          })),
        }),
      ),
    );
  }
  const bodies = new Set<string | undefined>();
  while (bodies.size < 5000) for (const { Body } of await receive(url)) bodies.add(Body);
  expect(await receive(url)).toEqual([]);
});

test('canary: fauxqs is built as the host expects it', () => {
  const queue = new SqsStore().createQueue(
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
  for (const action of Object.values(FAUXQS)) expect(typeof action).toBe('function');
});
