import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { HttpResponse } from '../../cli/shared/http.ts';
import { notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { awsError, type Interceptor } from '../../local/endpoint/index.ts';
import { eventually } from '../eventually.ts';
import { createPeople } from '../end-to-end/chat/people.ts';
import { balanced, reconcile } from '../end-to-end/card-settlement/day.ts';
import { daysAgo, noonOf, sale, startSystem, textOf } from '../end-to-end/system.ts';
import { connect, isRefused } from './wire.ts';

/**
 * Goal: an operator can follow one request through the log to what came of it, and nobody can read in the log, or in a
 * dead-letter queue, what is nobody's business.
 * Method: both tempos with values that occur nowhere else; successes, refusals, poison, failing calls, crashes; then
 * every line that a function wrote and every dead letter is searched for them.
 */

let fault: Interceptor = async (_, proceed) => proceed();

const secret = {
  cardToken: 'tok_secret_0a1b2c3d',
  text: 'text-secret-0a1b2c3d',
  reason: 'reason-secret-0a1b2c3d',
  user: 'user-secret-0a1b2c3d',
  cardNumber: '4111111111111111',
  groupedCardNumber: '4111 1111 1111 1111',
  password: 'Password-secret-0a1b2c3d',
};
const tokens: string[] = [];

const system = await startSystem({ interceptors: [(call, proceed) => fault(call, proceed)] });
const people = createPeople(system);
tokens.push(await system.token('gateway'), await system.token('operator'));

afterAll(async () => {
  await people.stop();
  await system.stop();
});

type Line = Readonly<Record<string, unknown>>;

function lines(message?: string): Line[] {
  const all = system.events.flatMap((event) => (event.type === 'log' ? [parsedLine(event.line)] : []));
  return message === undefined ? all : all.filter((line) => line['message'] === message);
}

function parsedLine(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return { notJson: line };
  }
}

/** Lines that speak of a request, by the id that its answer had. */
function linesOf(response: HttpResponse, message?: string): Line[] {
  const requestId = requestIdOf(response);
  return lines(message).filter((line) => JSON.stringify(line).includes(requestId));
}

function requestIdOf({ headers }: HttpResponse): string {
  const requestId = headers['apigw-requestid'];
  if (typeof requestId !== 'string' || requestId === '') throw new Error('The answer names no request.');
  return requestId;
}

async function post(
  fields: Readonly<Record<string, unknown>>,
  key: string = randomUUID(),
): Promise<HttpResponse> {
  return system.call('gateway', 'POST', '/transactions', {
    headers: { 'idempotency-key': key },
    body: sale({ cardToken: secret.cardToken, ...fields }),
  });
}

const itemOf = async (variable: string, key: string, wanted: string): Promise<Line | undefined> =>
  (await system.scan(system.environment(variable))).find((item) => item[key] === wanted);

describe('one transaction', () => {
  test('is followed from its request to its ledger entry, and so is the decision on it', async () => {
    const date = daysAgo(system, 2);
    const first = await post({ merchantId: 'mer_followed', occurredAt: noonOf(date) });
    const twin = await post({ merchantId: 'mer_followed', occurredAt: noonOf(date).replace(':00Z', ':30Z') });
    expect([first.status, twin.status]).toEqual([201, 201]);
    await reconcile(system, date);
    await system.dayWith(date, balanced);

    for (const [response, outcome] of [
      [first, 'settled'],
      [twin, 'held'],
    ] as const) {
      const [factId, requestId] = [textOf(response.body, 'transactionId'), requestIdOf(response)];
      expect(linesOf(response, 'transaction staged')).toMatchObject([{ requestId, transactionId: factId }]);
      const facts = linesOf(response, 'batch settled').flatMap((line) => line['facts'] as Line[]);
      expect(facts).toContainEqual({ factId, requestId, outcome });
      expect(await itemOf('STAGED_TRANSACTIONS_TABLE', 'transactionId', factId)).toMatchObject({ requestId });
      expect(await itemOf('LEDGER_TABLE', 'transactionId', factId)).toMatchObject({ requestId });
    }

    const held = textOf(twin.body, 'transactionId');
    const released = await system.call('operator', 'POST', `/transactions/${held}/release`, {
      body: { reason: secret.reason },
    });
    expect(released.status).toBe(200);
    expect(linesOf(released, 'transaction reviewed')).toMatchObject([
      { requestId: requestIdOf(released), transactionId: held, decision: 'release' },
    ]);
    const decidedOn = textOf(released.body, 'businessDate');
    await reconcile(system, decidedOn);
    await eventually(
      async () => (await itemOf('LEDGER_TABLE', 'transactionId', `${held}#decision`)) !== undefined,
      'the release is settled',
    );
    expect(await itemOf('LEDGER_TABLE', 'transactionId', `${held}#decision`)).toMatchObject({
      requestId: requestIdOf(released),
    });
  });

  test('that is refused says why, under its request', async () => {
    const refused = await post({ amount: 0 });
    expect(refused.status).toBe(400);
    expect(linesOf(refused)).toMatchObject([
      {
        message: 'request refused',
        status: 400,
        problem: 'validation-failed',
        routeKey: 'POST /transactions',
      },
    ]);
  });

  test('whose settling fails is named by the failure', async () => {
    const date = daysAgo(system, 3);
    const staged = await post({ merchantId: 'mer_failing', occurredAt: noonOf(date) });
    const factId = textOf(staged.body, 'transactionId');
    let isOver = false;
    fault = async (call, proceed) =>
      !isOver && call.action === 'PutItem' && JSON.stringify(call.request).includes(factId)
        ? awsError('InternalServerError', 'No luck', 500)
        : proceed();
    await reconcile(system, date);
    await eventually(() => linesOf(staged, 'message failed').length > 0, 'the failure is logged');
    expect(linesOf(staged, 'message failed')[0]).toMatchObject({
      level: 'ERROR',
      factId,
      requestId: requestIdOf(staged),
      permanent: false,
      errorMessage: 'No luck',
    });
    isOver = true;
    await system.dayWith(date, balanced);
  });
});

describe('one chat message', () => {
  test('is followed from its request to the push, and to the drain that pushed it later', async () => {
    const [alice, live] = [people.person('alice'), people.person(secret.user)];
    const device = await live.device();
    const posted = await alice.call('POST', '/messages', {
      body: { to: live.name, text: secret.text, clientMessageId: 'one' },
    });
    expect(posted.status).toBe(201);
    await device.until(({ texts }) => texts().includes(secret.text), 'the message');
    await eventually(() => linesOf(posted, 'message delivered').length > 0, 'the delivery is logged');
    const { conversationId, sequence } = posted.body as { conversationId: string; sequence: number };
    const notificationId = notificationIdOf({ conversationId, sequence });
    const names = { requestId: requestIdOf(posted), conversationId, sequence };
    expect(new Set(linesOf(posted).map(({ message }) => message))).toEqual(
      new Set(['message written', 'message delivered']),
    );
    expect(linesOf(posted, 'message written')).toMatchObject([names]);
    // A delivery whose push took too long is tried again.
    expect(linesOf(posted, 'message delivered').at(-1)).toMatchObject({
      ...names,
      notificationId,
      outcome: 'notified',
      pushed: 1,
    });
    expect(await itemOf('NOTIFICATIONS_TABLE', 'userId', live.name)).toMatchObject(names);

    const later = await live.device();
    await later.until(({ texts }) => texts().includes(secret.text), 'the message');
    await eventually(
      () =>
        lines('device drained').some((line) =>
          (line['notificationIds'] as string[]).includes(notificationId),
        ),
      'the drain is logged',
    );
    later.send({ action: 'ack', notificationIds: [notificationId] });
    later.send({ action: 'read', conversationId, sequence });
    device.close();
  });

  test('that cannot be delivered is named by the failure and by the dead letter, which say nothing else of it', async () => {
    const [alice, unlucky] = [people.person('alice'), people.person(secret.user)];
    const queue = system.environment('NOTIFICATION_QUEUE_URL');
    await system.sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: queue, Attributes: { VisibilityTimeout: '1' } }),
    );
    fault = async (call, proceed) =>
      call.action === 'PutItem' &&
      JSON.stringify(call.request).includes(`{"S":"${unlucky.name}"}`) &&
      'conversationSequence' in (call.request['Item'] as object)
        ? awsError('InternalServerError', 'No luck', 500)
        : proceed();
    const posted = await alice.call('POST', '/messages', {
      body: { to: unlucky.name, text: secret.text, clientMessageId: 'two' },
    });
    const { conversationId, sequence } = posted.body as { conversationId: string; sequence: number };
    const names = { requestId: requestIdOf(posted), conversationId, sequence };
    await eventually(() => linesOf(posted, 'message failed').length === 3, 'it has failed three times');
    expect(linesOf(posted, 'message failed')[2]).toMatchObject({
      level: 'ERROR',
      ...names,
      receiveCount: '3',
    });
    let dead: string[] = [];
    await eventually(async () => (dead = await deadLetters()).length > 0, 'the dead letter is there');
    expect(dead.map((body) => JSON.parse(body) as unknown)).toEqual([
      { kind: 'message', ...names, sequence: String(sequence) },
    ]);
  });
});

async function deadLetters(): Promise<string[]> {
  const { QueueUrls = [] } = await system.sqs.send(new ListQueuesCommand({}));
  const found = await Promise.all(
    QueueUrls.filter((url) => /DeadLetters/.test(url)).map(async (QueueUrl) => {
      const { Messages = [] } = await system.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
      return Messages.map(({ Body = '' }) => Body);
    }),
  );
  return found.flat();
}

describe('whatever happens', () => {
  test('requests that are refused', async () => {
    const id = textOf((await post({}, 'kept-key')).body, 'transactionId');
    const refusals = await Promise.all([
      post({ amount: 1 }, 'kept-key'),
      post({ cardToken: secret.cardNumber }),
      post({ note: `pay ${secret.groupedCardNumber}` }),
      post({ cardToken: `${secret.cardToken} and more` }),
      post({ [secret.cardToken]: 1 }),
      post({ type: 'reversal', originalTransactionId: id, amount: 3 }),
      post({ type: 'reversal', originalTransactionId: secret.cardToken }),
      post({}, secret.cardNumber),
      system.call('operator', 'POST', `/transactions/${id}/reject`, { body: { reason: secret.reason } }),
      system.call('operator', 'POST', `/transactions/${id}/reject`, {
        body: { reason: secret.reason, more: 1 },
      }),
      system.call('operator', 'POST', `/transactions/${id}/reject`, { body: `{"reason":"${secret.reason}` }),
      system.call('operator', 'GET', `/transactions/${secret.cardNumber}`),
      system.call('operator', 'PUT', '/merchants/mer_1', { body: { name: secret.cardNumber } }),
      system.call('gateway', 'GET', '/business-days', { headers: { authorization: `Bearer ${tokens[0]}x` } }),
    ]);
    expect(refusals.filter(({ status }) => status < 400 || status >= 500)).toEqual([]);
    const alice = people.person('alice');
    const message = { to: people.person('bob').name, text: secret.text, clientMessageId: 'kept' };
    expect((await alice.call('POST', '/messages', { body: message })).status).toBe(201);
    const chat = await Promise.all([
      alice.call('POST', '/messages', { body: { ...message, text: `${secret.text} again` } }),
      alice.call('POST', '/messages', { body: { ...message, to: `${secret.text} x` } }),
      alice.call('POST', '/messages', { body: { ...message, [secret.text]: 1 } }),
      alice.call('POST', '/messages', { body: { ...message, text: secret.text.repeat(500) } }),
      alice.call('POST', '/messages', { body: `{"text":"${secret.text}` }),
      alice.call('GET', `/conversations/${secret.text}/messages`),
      alice.call('DELETE', `/notifications/${secret.text}`),
    ]);
    expect(chat.filter(({ status }) => status < 400 || status >= 500)).toEqual([]);
    tokens.push(await alice.token());
  });

  test('frames and connections that are refused', async () => {
    const token = await people.person('carol').token();
    tokens.push(token);
    const url = system.outputs.DuotempoChat.WebSocketUrl;
    for (const bad of [`${token}x`, tokens[0], `${token.slice(0, -20)}${'A'.repeat(20)}`]) {
      expect(isRefused(await connect(`${url}?token=${bad}`))).toBe(true);
    }
    const socket = await connect(`${url}?token=${token}`);
    if (isRefused(socket)) throw new Error(`The connection was answered ${socket.status}.`);
    for (const frame of [
      secret.text,
      `{"action":"${secret.text}"}`,
      `{"action":"hello","${secret.text}":1}`,
      `{"action":"ack","notificationIds":["${secret.text} "]}`,
    ]) {
      socket.send(frame);
    }
    await eventually(() => socket.frames.length === 4, 'each is answered');
    socket.close();
  });

  test('what is in a table or a queue and does not fit', async () => {
    const staged = system.environment('STAGED_TRANSACTIONS_TABLE');
    await system.dynamodb.send(
      new PutItemCommand({
        TableName: staged,
        Item: marshall({
          transactionId: 'odd',
          cardToken: secret.cardToken,
          amount: secret.cardToken,
          type: secret.cardToken,
          merchantId: 41_111,
          reason: secret.reason,
        }),
      }),
    );
    expect((await system.call('operator', 'GET', '/transactions/odd')).status).toBe(500);
    const messages = system.environment('MESSAGES_TABLE');
    await system.dynamodb.send(
      new PutItemCommand({
        TableName: messages,
        Item: marshall({
          conversationId: '0'.repeat(32),
          sequence: 1,
          messageId: 'm',
          text: [secret.text],
          from: { name: secret.user },
          to: Number(secret.cardNumber),
          sentAt: secret.text,
        }),
      }),
    );
    const settlement = system.environment('SETTLEMENT_QUEUE_URL');
    await system.sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: settlement, Attributes: { VisibilityTimeout: '1' } }),
    );
    const before = lines('message failed').length;
    for (const [QueueUrl, MessageBody] of [
      [settlement, `{"factId":"odd"}`],
      [settlement, `{"factId":"${secret.cardToken}","cardToken":"${secret.cardToken}"}`],
      [settlement, `${secret.cardNumber} ${secret.reason}`],
      [system.environment('RECONCILE_QUEUE_URL'), `{"kind":"${secret.reason}"}`],
      [
        system.environment('DRAIN_QUEUE_URL'),
        `{"userId":"${secret.user}","connectionId":"c","text":"${secret.text}"}`,
      ],
    ] as const) {
      await system.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    }
    await eventually(() => lines('message failed').length >= before + 3, 'the messages have failed');
  });

  test('functions that are killed, run out of time, or find their tables gone', async () => {
    const alice = people.person('alice');
    const { name } = people.person('bob');
    const send = async (clientMessageId: string): Promise<HttpResponse> =>
      alice.call('POST', '/messages', { body: { to: name, text: secret.text, clientMessageId } });
    let held = false;
    fault = async (call, proceed) => {
      if (call.action === 'PutItem' && JSON.stringify(call.request).includes(secret.text)) {
        held = true;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return proceed();
    };
    const killed = send('killed');
    await eventually(() => held, 'the message is being written');
    expect(system.host.killFunction('DuotempoChat-PostMessage')).toBeGreaterThan(0);
    expect((await killed).status).toBe(500);

    fault = async (call, proceed) =>
      call.service === 'dynamodb' && JSON.stringify(call.request).includes(secret.cardToken)
        ? awsError('ResourceNotFoundException', 'Requested resource not found')
        : proceed();
    expect((await post({})).status).toBe(500);
    fault = async (_, proceed) => proceed();
  });

  test('nothing of it shows in a line of the log or in a dead letter', async () => {
    const logged = system.events.flatMap((event) =>
      event.type === 'log' ? [event.line] : event.type === 'invocation' ? [event.errorMessage ?? ''] : [],
    );
    expect(logged.length).toBeGreaterThan(50);
    const told = [
      ...Object.values(secret),
      ...tokens,
      ...tokens.flatMap((token) => token.split('.').slice(1)),
    ];
    for (const value of told) {
      expect(value.length).toBeGreaterThan(12);
      expect(logged.filter((line) => line.includes(value))).toEqual([]);
    }
    // Who writes to a queue by hand finds it there again; what the app writes has nothing of it.
    const { Attributes = {} } = await system.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: system.environment('NOTIFICATION_QUEUE_URL'),
        AttributeNames: ['All'],
      }),
    );
    expect(Attributes['RedrivePolicy']).toContain('DeadLetters');
    const own = (await deadLetters()).filter((body) => body.startsWith('{"kind":"message"'));
    expect(own.filter((body) => told.some((value) => body.includes(value)))).toEqual([]);
  });

  test('every line is JSON, with a time, a level and an invocation', () => {
    // Metrics have a form of their own.
    const odd = lines()
      .filter((line) => !('_aws' in line))
      .filter(
        ({ timestamp, level, requestId, functionRequestId }) =>
          typeof timestamp !== 'string' ||
          typeof level !== 'string' ||
          (requestId ?? functionRequestId) === undefined,
      );
    expect(odd).toEqual([]);
  });
});
