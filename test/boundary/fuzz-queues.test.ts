import { randomUUID } from 'node:crypto';
import { ListTablesCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { ReconcileMessage, SettlementMessage } from '../../lambda/card-settlement/contract.ts';
import { addDays } from '../../lambda/card-settlement/domain/business-date.ts';
import { DrainMessage, NotificationMessage } from '../../lambda/chat/contract.ts';
import { eventually } from '../eventually.ts';
import { startChat, type People } from '../end-to-end/chat/people.ts';
import { balanced, reconcile } from '../end-to-end/card-settlement/day.ts';
import { daysAgo, noonOf, type System } from '../end-to-end/system.ts';
import { json, mutated, runs, text, value } from './arbitraries.ts';

/**
 * Goal: a message on a queue, or a record of the stream, that is none of ours ends in the dead-letter queue as it came,
 * writes nothing, and holds up nobody.
 * Method: messages that an insider could send, all at once, with a visibility timeout of a second, so that they are
 * through with their receives; then every table is as it was, and the app works.
 */

let system: System;
let people: People;

beforeAll(async () => {
  ({ system, people } = await startChat());
  // The first device has acknowledged its message, and left.
  await eventually(
    async () =>
      (await system.scan(system.environment('CONNECTIONS_TABLE'))).length === 0 &&
      (await system.scan(system.environment('NOTIFICATIONS_TABLE'))).length === 0,
    'the first message is done with',
  );
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

const SECRET = 'the-text-that-nobody-else-reads';

interface Queue {
  readonly url: string;
  readonly deadLetterUrl: string;
}

async function queueOf(variable: string): Promise<Queue> {
  const url = system.environment(variable);
  const { Attributes = {} } = await system.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] }),
  );
  const { deadLetterTargetArn } = JSON.parse(Attributes['RedrivePolicy'] ?? '{}') as {
    deadLetterTargetArn: string;
  };
  const { QueueUrl: deadLetterUrl = '' } = await system.sqs.send(
    new GetQueueUrlCommand({ QueueName: deadLetterTargetArn.split(':').at(-1) }),
  );
  await system.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '1' } }),
  );
  return { url, deadLetterUrl };
}

/** @returns those that SQS took: a body must be text that XML can hold */
async function send({ url }: Queue, bodies: readonly string[]): Promise<string[]> {
  const taken: string[] = [];
  for (let from = 0; from < bodies.length; from += 10) {
    const chunk = bodies.slice(from, from + 10);
    const { Successful = [] } = await system.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: url,
        Entries: chunk.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
      }),
    );
    for (const { Id } of Successful) taken.push(chunk[Number(Id)] ?? '');
  }
  return taken;
}

async function deadLetters({ deadLetterUrl }: Queue, count: number): Promise<string[]> {
  const bodies: string[] = [];
  const deadline = Date.now() + 50_000;
  while (bodies.length < count && Date.now() < deadline) {
    const { Messages = [] } = await system.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    bodies.push(...Messages.map(({ Body = '' }) => Body));
    if (Messages.length === 0) continue;
    await system.sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: deadLetterUrl,
        Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
  }
  return bodies;
}

async function items(except: readonly string[] = []): Promise<string[]> {
  const { TableNames = [] } = await system.dynamodb.send(new ListTablesCommand({}));
  const tables = TableNames.filter((table) => !except.includes(table));
  const found = await Promise.all(tables.map(async (table) => system.scan(table)));
  return found
    .flatMap((each, index) => each.map((item) => `${tables[index]} ${JSON.stringify(item)}`))
    .toSorted();
}

/** As many different bodies as wanted that a schema does not take. */
function poison(schema: v.GenericSchema, valid: readonly unknown[], count: number): string[] {
  const isPoison = (body: string): boolean => {
    try {
      return !v.is(schema, JSON.parse(body));
    } catch {
      return true;
    }
  };
  const body = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...valid).chain(mutated) },
    { weight: 1, arbitrary: value.map(json) },
    { weight: 1, arbitrary: text },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...valid), fc.nat(30))
        .map(([each, at]) => JSON.stringify(each).slice(0, at)),
    },
  );
  const { seed, numRuns } = runs(count);
  // What XML cannot hold SQS does not take.
  const fits = (each: string): boolean =>
    each !== '' && /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(each);
  return fc.sample(
    body.filter((each) => isPoison(each) && fits(each)),
    { seed, numRuns },
  );
}

const names = 'a'.repeat(32);

test('what is no message of ours ends in the dead-letter queue of its queue, as it came, and writes nothing', async () => {
  const [settlement, reconciling, notification, drains] = await Promise.all(
    ['SETTLEMENT_QUEUE_URL', 'RECONCILE_QUEUE_URL', 'NOTIFICATION_QUEUE_URL', 'DRAIN_QUEUE_URL'].map(queueOf),
  );
  if (!settlement || !reconciling || !notification || !drains) throw new Error('A queue is missing.');
  const day = { kind: 'business-day', businessDate: system.today, trigger: 'operator' };
  const online = { userId: 'bob', connectionId: 'c=' };
  const goesOn = { after: `${names}-0000001`, since: new Date().toISOString() };
  const written = { conversationId: names, sequence: '1', requestId: 'r=' };
  const sent = [
    [
      settlement,
      [
        ...poison(SettlementMessage, [{ factId: names }, { factId: `${names}#decision` }], 40),
        // Well formed, and of facts that were never staged.
        JSON.stringify({ factId: names }),
        JSON.stringify({ factId: `${names}#decision` }),
      ],
    ],
    [
      reconciling,
      [
        ...poison(
          ReconcileMessage,
          [day, { ...day, trigger: 'continue', after: 'x', attempt: 1 }, { kind: 'due-days' }],
          25,
        ),
        // Well formed, and of days that cannot be.
        JSON.stringify({ ...day, businessDate: addDays(system.today, 1) }),
        JSON.stringify({ ...day, businessDate: '9999-12-31' }),
        JSON.stringify({ ...day, businessDate: '1970-01-01' }),
      ],
    ],
    [
      notification,
      [
        ...poison(
          NotificationMessage,
          [
            { kind: 'message', ...written },
            { kind: 'push', ...written, connectionIds: ['c='] },
          ],
          30,
        ),
        JSON.stringify({ kind: 'message', conversationId: names, sequence: '7' }),
      ],
    ],
    [drains, poison(DrainMessage, [online, { ...online, goesOn }], 30)],
  ] as const;
  const before = await items();
  await Promise.all(
    sent.map(async ([queue, bodies]) => {
      const taken = await send(queue, bodies);
      expect(taken).toHaveLength(bodies.length);
      expect((await deadLetters(queue, taken.length)).toSorted()).toEqual(taken.toSorted());
    }),
  );
  expect(await items()).toEqual(before);
});

test('a well-formed message of a device that nobody has writes and pushes nothing', async () => {
  const [bob, ada, eve] = [people.person('bob'), people.person('ada'), people.person('eve')];
  await ada.post(bob, SECRET);
  const device = await eve.device();
  const [connectionId = ''] = (await system.scan(system.environment('CONNECTIONS_TABLE')))
    .filter(({ userId }) => userId === eve.name)
    .map((each) => String(each['connectionId']));
  await eventually(async () => (await bob.waiting()).length === 1, 'the message waits');
  const before = await items();
  const queue = await queueOf('DRAIN_QUEUE_URL');
  const lines = system.events.length;
  const forged = [
    { userId: bob.name, connectionId },
    {
      userId: bob.name,
      connectionId,
      goesOn: { after: `${names}-0000001`, since: new Date().toISOString() },
    },
    { userId: 'nobody', connectionId: 'nobody=' },
  ];
  await send(
    queue,
    forged.map((each) => JSON.stringify(each)),
  );
  const drained = () =>
    system.events
      .slice(lines)
      .filter((event) => event.type === 'log' && event.line.includes('"device drained"'));
  await eventually(() => drained().length === forged.length, 'the messages are worked on');
  await eve.device().then((other) => other.close());
  expect(device.notifications()).toEqual([]);
  expect(
    (await items([system.environment('CONNECTIONS_TABLE')])).filter((each) => !before.includes(each)),
  ).toEqual([]);
  expect(await bob.waiting()).toEqual([SECRET]);
});

/** An item of the messages table, some of whose attributes are missing or of another type. */
const oddItem = fc
  .record({
    conversationId: fc.oneof(
      fc.constant(names),
      fc.stringMatching(/^[\u0020-\u007eé💥]{1,40}$/u),
      fc.constantFrom('"', '\\', '<$.dynamodb>', '{}', '\u0000', 'x'.repeat(500)),
    ),
    sequence: fc.oneof(fc.integer({ min: 1_000_001 }), fc.constantFrom(0, -1, 1.5, 1e100, 1e-100, 2 ** 53)),
    rest: fc.dictionary(
      fc.constantFrom('from', 'to', 'text', 'sentAt', 'more'),
      fc.oneof(
        fc.constantFrom<AttributeValue>(
          { S: SECRET },
          { N: '4111111111111111' },
          { BOOL: true },
          { NULL: true },
          { L: [{ S: SECRET }] },
        ),
        fc.constantFrom<AttributeValue>(
          { M: { text: { S: SECRET } } },
          { SS: [SECRET] },
          { B: new Uint8Array([255, 0]) },
        ),
      ),
      { maxKeys: 5 },
    ),
  })
  .map(({ conversationId, sequence, rest }): Record<string, AttributeValue> => ({
    ...rest,
    // In a place of its own: what is written over is no new record.
    conversationId: { S: `${conversationId}${randomUUID()}` },
    sequence: { N: String(sequence) },
  }));

test('a record of the stream that does not fit ends in the dead-letter queue, and the pipe goes on', async () => {
  const queue = await queueOf('NOTIFICATION_QUEUE_URL');
  const { seed, numRuns } = runs(40);
  const odd = [
    ...fc.sample(oddItem, { seed, numRuns }),
    // In the right place, and not a message.
    ...[{ S: SECRET }, { N: '4111111111111111' }, undefined].map((to, index) => ({
      conversationId: { S: names },
      sequence: { N: String(index + 1) },
      text: { N: '4111111111111111' },
      ...(to === undefined ? {} : { to }),
    })),
  ];
  const messages = system.environment('MESSAGES_TABLE');
  // Devices of before may be leaving.
  const others = [messages, system.environment('CONNECTIONS_TABLE')];
  const before = await items(others);
  for (const Item of odd) await system.dynamodb.send(new PutItemCommand({ TableName: messages, Item }));
  const dead = await deadLetters(queue, odd.length);
  expect(dead).toHaveLength(odd.length);
  expect(dead.join('\n')).not.toContain(SECRET);
  expect(dead.join('\n')).not.toContain('4111111111111111');
  expect(await items(others)).toEqual(before);
});

test('after all that both tempos work, and nothing that was sent is in the log', async () => {
  const date = daysAgo(system, 2);
  await system.stage({ occurredAt: noonOf(date) });
  await reconcile(system, date);
  await system.dayWith(date, balanced);
  const [ada, bob] = [people.person('ada'), people.person('bob')];
  const device = await bob.device();
  await ada.post(bob, 'still here');
  await device.until(({ texts }) => texts().includes('still here'), 'the message');
  const logged = system.events.flatMap((event) => (event.type === 'log' ? [event.line] : []));
  expect(logged.filter((line) => line.includes(SECRET) || line.includes('4111111111111111'))).toEqual([]);
  const ended = system.events.filter((event) => event.type === 'invocation' && event.outcome === 'error');
  // The reconcile worker throws at what it cannot read: its queue has batches of one.
  expect(
    ended.filter(
      (event) =>
        event.type === 'invocation' &&
        event.errorType !== 'PermanentError' &&
        event.errorType !== 'Sandbox.Timedout',
    ),
  ).toEqual([]);
});
