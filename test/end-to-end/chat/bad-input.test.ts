import { randomUUID } from 'node:crypto';
import { CognitoIdentityProvider } from '@aws-sdk/client-cognito-identity-provider';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { awsError } from '../../../local/testing.ts';
import { conversationIdOf } from '../../../lambda/chat/domain/identifiers.ts';
import { startChat, type People, type Person } from './people.ts';
import type { System } from '../system.ts';

/**
 * Goal: whatever is wrong with a request or a frame gets the answer that says so, the connection survives where it can,
 * and nothing is written.
 * Method: the whole app on the local host; requests and frames as an enemy or a beginner would send them.
 */

let system: System;
let people: People;
let idToken: string;

beforeAll(async () => {
  ({ system, people } = await startChat({
    interceptors: [
      async ({ action, request }, proceed) =>
        action === 'PutItem' && JSON.stringify(request).includes(TOO_MUCH)
          ? awsError(
              'ItemCollectionSizeLimitExceededException',
              'Item collection size limit of 10 GB exceeded.',
            )
          : proceed(),
    ],
  }));
  const cognito = new CognitoIdentityProvider({
    region: 'us-east-1',
    endpoint: system.host.awsEndpoint,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  const { AuthenticationResult: tokens = {} } = await cognito.initiateAuth({
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: system.outputs.DuotempoIdentity.ChatClientId,
    AuthParameters: { USERNAME: 'mallory', PASSWORD: 'Any-password-1' },
  });
  cognito.destroy();
  idToken = tokens.IdToken ?? '';
});

afterAll(async () => {
  await people?.stop();
  await system?.stop();
});

const TOO_MUCH = 'one message more than 10 GB';

const message = (fields: Readonly<Record<string, unknown>> = {}) => ({
  to: `bob-${randomUUID().slice(0, 8)}`,
  text: 'hello',
  clientMessageId: randomUUID(),
  ...fields,
});

describe('POST /messages', () => {
  test.concurrent('to a conversation that has all that DynamoDB lets it have: 409, for good', async () => {
    const ada = people.person('ada');
    const first = message();
    expect((await ada.call('POST', '/messages', { body: first })).status).toBe(201);
    for (let attempt = 0; attempt < 2; attempt++) {
      const refused = await ada.call('POST', '/messages', {
        body: message({ to: first.to, text: TOO_MUCH }),
      });
      expect([refused.status, refused.body]).toEqual([
        409,
        expect.objectContaining({ type: 'urn:duotempo:problem:conversation-full' }),
      ]);
    }
    expect((await ada.call('POST', '/messages', { body: first })).status).toBe(200);
  });

  const tooLong = 'x'.repeat(4001);
  test.concurrent.each([
    ['an empty text', { text: '' }, '/text'],
    ['a text of 4,001 characters', { text: tooLong }, '/text'],
    ['a text of 4,001 emoji', { text: '😀'.repeat(4001) }, '/text'],
    ['half a surrogate pair', { text: 'a\ud800b' }, '/text'],
    ['a text that is a number', { text: 7 }, '/text'],
    ['no text', { text: undefined }, '/text'],
    ['a recipient with a capital', { to: 'Bob' }, '/to'],
    ['a recipient that is a path', { to: '../bob' }, '/to'],
    ['no recipient', { to: undefined }, '/to'],
    ['a recipient of 65 characters', { to: 'b'.repeat(65) }, '/to'],
    ['a clientMessageId with a space', { clientMessageId: 'a b' }, '/clientMessageId'],
    ['no clientMessageId', { clientMessageId: undefined }, '/clientMessageId'],
    ['a forged sender', { from: 'eve' }, '/from'],
    ['a forged sequence', { sequence: 1 }, '/sequence'],
  ])('refuses %s, and writes nothing', async (_what, fields, pointer) => {
    const ada = people.person('ada');
    const { status, headers, body } = await ada.call('POST', '/messages', { body: message(fields) });
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toMatchObject({
      type: 'urn:duotempo:problem:validation-failed',
      errors: [{ pointer, detail: expect.any(String) }],
    });
    expect(JSON.stringify(body)).not.toContain('xxxx');
    expect(await writtenBy(ada)).toEqual([]);
  });

  test.concurrent('refuses a query parameter', async () => {
    const ada = people.person('ada');
    const { status } = await ada.call('POST', '/messages?dryRun=true', { body: message() });
    expect(status).toBe(400);
    expect(await writtenBy(ada)).toEqual([]);
    expect((await ada.call('DELETE', `/notifications/${'0'.repeat(32)}-0000001?x=1`)).status).toBe(400);
  });

  test.concurrent('refuses oneself as recipient', async () => {
    const ada = people.person('ada');
    const { status, body } = await ada.call('POST', '/messages', { body: message({ to: ada.name }) });
    expect([status, body]).toEqual([
      400,
      expect.objectContaining({ errors: [expect.objectContaining({ pointer: '/to' })] }),
    ]);
  });

  test.concurrent.each([
    ['{', 400, 'malformed-json'],
    ['', 400, 'malformed-json'],
    ['[]', 400, 'validation-failed'],
    ['"text"', 400, 'validation-failed'],
    [JSON.stringify(message({ text: 'x'.repeat(70_000) })), 413, 'body-too-large'],
  ])('refuses the body %.20s', async (body, expected, slug) => {
    const { status, body: answer } = await people.person('ada').call('POST', '/messages', { body });
    expect([status, answer]).toEqual([
      expected,
      expect.objectContaining({ type: `urn:duotempo:problem:${slug}` }),
    ]);
  });

  test.concurrent('takes 4,000 emoji, and NUL, and whitespace, as they are', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    for (const text of ['😀'.repeat(4000), 'a\u0000b', ' ', '\u2028']) await ada.post(bob, text);
    expect((await bob.history(ada)).map(({ text }) => text)).toEqual([
      '😀'.repeat(4000),
      'a\u0000b',
      ' ',
      '\u2028',
    ]);
  });

  test.concurrent('the same message again is the same message; another text with its id is refused', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    const body = message({ to: bob.name, clientMessageId: 'one' });
    const first = await ada.call('POST', '/messages', { body });
    expect(first.status).toBe(201);
    const again = await ada.call('POST', '/messages', { body });
    expect([again.status, again.body, again.headers['idempotent-replayed']]).toEqual([
      200,
      first.body,
      'true',
    ]);
    const other = await ada.call('POST', '/messages', { body: { ...body, text: 'else' } });
    expect([other.status, other.body]).toEqual([
      422,
      expect.objectContaining({ type: 'urn:duotempo:problem:client-message-id-reused' }),
    ]);
    // Another sender's id of the same name is independent.
    const reply = await bob.call('POST', '/messages', { body: { ...body, to: ada.name } });
    expect([reply.status, reply.body]).toEqual([201, expect.objectContaining({ sequence: 2 })]);
    expect(await bob.history(ada)).toHaveLength(2);
  });

  test.concurrent('the same message ten times at once is written once', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    const body = message({ to: bob.name });
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => ada.call('POST', '/messages', { body })),
    );
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      ...Array.from({ length: 9 }, () => 200),
      201,
    ]);
    expect(await bob.history(ada)).toHaveLength(1);
  });

  test.concurrent('too many messages of one sender: 429, Retry-After, and a replay still finds its own', async () => {
    const [ada, bob] = [people.person('ada'), people.person('bob')];
    const body = message({ to: bob.name });
    expect((await ada.call('POST', '/messages', { body })).status).toBe(201);
    await fillLimit(ada);
    const {
      status,
      headers,
      body: problem,
    } = await ada.call('POST', '/messages', { body: message({ to: bob.name }) });
    expect([status, problem]).toEqual([
      429,
      expect.objectContaining({ type: 'urn:duotempo:problem:too-many-messages' }),
    ]);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(10);
    expect((await ada.call('POST', '/messages', { body })).status).toBe(200);
    expect((await bob.call('POST', '/messages', { body: message({ to: ada.name }) })).status).toBe(201);
  });
});

describe('who may read', () => {
  test.concurrent('a conversation is for its two members: to others there is none', async () => {
    const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((name) => people.person(name)) as [
      Person,
      Person,
      Person,
    ];
    await ada.post(bob, 'secret');
    const path = `/conversations/${conversationIdOf(ada.name, bob.name)}/messages`;
    expect((await bob.call('GET', path)).status).toBe(200);
    const foreign = await eve.call('GET', path);
    const none = await eve.call('GET', `/conversations/${'0'.repeat(32)}/messages`);
    expect([foreign.status, foreign.body]).toEqual([404, none.body]);
    expect((await eve.call('GET', `${path}?after=1`)).status).toBe(404);
    expect((await bob.call('GET', `${path}?after=1`)).body).toEqual({ items: [] });
  });

  test.concurrent.each(['limit=0', 'limit=101', 'limit=x', 'after=-1', 'after=x', 'cursor=x', 'unknown=1'])(
    'the query %s is refused',
    async (query) => {
      const { status } = await people
        .person('ada')
        .call('GET', `/conversations/${'0'.repeat(32)}/messages?${query}`);
      expect(status).toBe(400);
    },
  );

  test.concurrent.each(['/conversations/x/messages', '/notifications?cursor=x', '/notifications?after=1'])(
    '%s is refused',
    async (path) => {
      expect((await people.person('ada').call('GET', path)).status).toBe(400);
    },
  );

  test.concurrent.each(['x', `${'0'.repeat(32)}-0000001`])('no notification %s: 404', async (id) => {
    const { status, body } = await people.person('ada').call('DELETE', `/notifications/${id}`);
    expect([status, body]).toEqual([
      404,
      expect.objectContaining({ type: 'urn:duotempo:problem:not-found' }),
    ]);
  });

  test.concurrent('a path that is no route: 404', async () => {
    expect((await people.person('ada').call('GET', '/nothing')).status).toBe(404);
  });

  test.concurrent('an ID token, a token of another client, none: 401 or 403', async () => {
    const ada = people.person('ada');
    for (const [authorization, expected] of [
      [`Bearer ${idToken}`, [401, 403]],
      [`Bearer ${await system.token('gateway')}`, [401]],
      ['Bearer x', [401]],
      ['', [401]],
    ] as const) {
      const { status } = await ada.call('GET', '/notifications', { headers: { authorization } });
      expect(expected).toContain(status);
    }
  });
});

describe('a connection', () => {
  test.concurrent.each([
    ['without a token', () => undefined, 401],
    ['with something else', () => 'x.y.z', 401],
    ['with an ID token', () => idToken, 401],
    ['with a token of another client', async () => system.token('gateway'), 401],
    ['with a token whose signature was changed', async () => forged(await people.person('ada').token()), 401],
  ])('%s is refused', async (_what, token, expected) => {
    expect(await refusal(await token())).toBe(expected);
  });

  test.concurrent.each([
    ['not JSON', 'malformed-json'],
    ['', 'malformed-json'],
    ['[]', 'unknown-action'],
    ['{"action":7}', 'unknown-action'],
    ['{"action":"subscribe"}', 'unknown-action'],
    ['{"action":"$connect"}', 'unknown-action'],
    ['{}', 'unknown-action'],
    ['{"action":"hello","userId":"eve"}', 'validation-failed'],
    ['{"action":"ack"}', 'validation-failed'],
    ['{"action":"ack","notificationIds":[]}', 'validation-failed'],
    ['{"action":"ack","notificationIds":"x"}', 'validation-failed'],
    [
      JSON.stringify({ action: 'ack', notificationIds: Array.from({ length: 101 }, () => 'x') }),
      'validation-failed',
    ],
    ['{"action":"read","conversationId":"x","sequence":1}', 'validation-failed'],
    [JSON.stringify({ action: 'read', conversationId: '0'.repeat(32), sequence: 0 }), 'validation-failed'],
    [JSON.stringify({ action: 'read', conversationId: '0'.repeat(32), sequence: 1.5 }), 'validation-failed'],
    [JSON.stringify({ action: 'read', conversationId: '0'.repeat(32), sequence: 1 }), 'not-found'],
  ])('survives the frame %.60s', async (frame, slug) => {
    const socket = await open(people.person('ada'));
    socket.send(frame);
    expect(await socket.next()).toEqual({
      type: 'error',
      problem: expect.objectContaining({ type: `urn:duotempo:problem:${slug}`, status: expect.any(Number) }),
    });
    socket.send('{"action":"hello"}');
    expect(await socket.next()).toMatchObject({ type: 'caught-up' });
    socket.close();
  });

  test.concurrent('ends with a binary frame: 1003', async () => {
    const socket = await open(people.person('ada'));
    socket.send(Buffer.from('{"action":"hello"}'));
    expect(await socket.closed).toBe(1003);
  });

  test.concurrent('ends with a frame over 32 KB: 1009', async () => {
    const socket = await open(people.person('ada'));
    socket.send(JSON.stringify({ action: 'hello', padding: 'x'.repeat(33 * 1024) }));
    expect(await socket.closed).toBe(1009);
  });

  test.concurrent('acknowledging what is somebody else’s, or nobody’s, has no effect', async () => {
    const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((name) => people.person(name)) as [
      Person,
      Person,
      Person,
    ];
    const device = await bob.device();
    await ada.post(bob, 'mine');
    await device.messages(1);
    const notificationIds = device.notifications().map(({ notificationId }) => notificationId);
    for (const other of [eve, ada]) {
      const socket = await open(other);
      socket.send(JSON.stringify({ action: 'ack', notificationIds: [...notificationIds, 'unknown'] }));
      socket.send('{"action":"hello"}');
      expect(await socket.next()).toMatchObject({ type: 'caught-up' });
      socket.close();
    }
    expect(await bob.waiting()).toEqual(['mine']);
  });
});

async function open(person: Person) {
  const url = `${system.outputs.DuotempoChat.WebSocketUrl}?token=${await person.token()}`;
  const socket = new WebSocket(url);
  const frames: unknown[] = [];
  const waiting: ((frame: unknown) => void)[] = [];
  socket.on('message', (data: Buffer) => {
    const frame: unknown = JSON.parse(data.toString('utf8'));
    const take = waiting.shift();
    if (take === undefined) frames.push(frame);
    else take(frame);
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    send: (data: string | Buffer) => socket.send(data),
    next: async (): Promise<unknown> =>
      frames.length > 0
        ? frames.shift()
        : new Promise((resolve, reject) => {
            const late = setTimeout(() => reject(new Error('No frame came within 20 s.')), 20_000);
            waiting.push((frame) => {
              clearTimeout(late);
              resolve(frame);
            });
          }),
    close: () => socket.close(),
    closed,
  };
}

/** The status that a connection is refused with; 101 if it is not. */
async function refusal(token: string | undefined): Promise<number> {
  const query = token === undefined ? '' : `?token=${encodeURIComponent(token)}`;
  const socket = new WebSocket(`${system.outputs.DuotempoChat.WebSocketUrl}${query}`);
  return new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    socket.on('open', () => {
      resolve(101);
      socket.close();
    });
    socket.on('error', reject);
  });
}

function forged(token: string): string {
  return `${token.slice(0, -8)}${token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`;
}

async function writtenBy({ name }: Person): Promise<unknown[]> {
  return (await system.scan(system.environment('MESSAGES_TABLE'))).filter(({ from }) => from === name);
}

/** Leaves a sender nothing of this window and the next. */
async function fillLimit({ name }: Person): Promise<void> {
  const second = Math.floor(Date.now() / 1000);
  for (const windowStart of [second - (second % 10), second - (second % 10) + 10]) {
    await system.dynamodb.putItem({
      TableName: system.environment('RATE_LIMITS_TABLE'),
      Item: marshall({ userId: name, windowStart, count: 500, expiresAt: windowStart + 3600 }),
    });
  }
}
