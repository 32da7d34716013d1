import { afterAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { chatScope } from '../../lambda/chat/contract.ts';
import { AckFrame, HelloFrame, ReadFrame } from '../../lambda/chat/frames.ts';
import { json, mutated, query, runs, text, value } from './arbitraries.ts';
import { startEdge } from './edge.ts';
import { createMint } from './tokens.ts';
import { connect, isRefused, type Answer, type Socket } from './wire.ts';

/**
 * Goal: whatever a device sends gets an answer, the connection stays, and a frame that is refused writes nothing; no
 * request for a connection brings anything down.
 * Method: mutations of good frames, and nonsense, one by one on one connection.
 */

const edge = await startEdge();
const mint = await createMint(edge.system);
await edge.system.host.warm();
const socket = await opened();

afterAll(async () => {
  socket.close();
  await edge.stop();
});

async function opened(): Promise<Socket> {
  const token = await mint.sign(mint.claims('DuotempoChat', [chatScope], { username: 'mallory' }));
  const result = await tried(`?token=${token}`);
  if (isRefused(result)) throw new Error(`A good token was answered ${result.status}.`);
  return result;
}

async function tried(
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Socket | Answer> {
  return connect(`${edge.system.outputs.DuotempoChat.WebSocketUrl}${target}`, headers);
}

/** Frames that a route takes; whether what they name exists is another matter. */
const DeviceFrame = v.variant('action', [HelloFrame, AckFrame, ReadFrame]);

function isFrame(frame: string): boolean {
  try {
    return v.is(DeviceFrame, JSON.parse(frame));
  } catch {
    return false;
  }
}

const conversationId = '0'.repeat(32);
const goodFrames = [
  { action: 'hello' },
  { action: 'ack', notificationIds: [`${conversationId}-0000001`, 'x'] },
  { action: 'read', conversationId, sequence: 1 },
];

/** Small enough that the network sends each as one frame that API Gateway takes. */
const frame = fc
  .oneof(
    { weight: 6, arbitrary: fc.constantFrom(...goodFrames).chain(mutated) },
    { weight: 1, arbitrary: value.map(json) },
    { weight: 1, arbitrary: text },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...goodFrames), fc.nat())
        .map(([each, at]) => JSON.stringify(each).slice(0, at % 40)),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          'hello',
          'ack',
          'read',
          '$connect',
          '$disconnect',
          '$default',
          '__proto__',
          'constructor',
        )
        .map((action) => JSON.stringify({ action, more: 1 })),
    },
  )
  .filter((each) => Buffer.byteLength(each) < 30_000);

const eventsOf = () => edge.system.events.filter(({ type }) => type === 'web-socket');

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('It has not come about within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe('any frame', () => {
  test('that is none of the device’s gets an error frame, and nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(frame, async (each) => {
        const before = {
          frames: socket.frames.length,
          writes: edge.writes.length,
          events: eventsOf().length,
        };
        socket.send(each);
        await until(() => eventsOf().length > before.events);
        const [event] = eventsOf().slice(before.events);
        expect(event).toMatchObject({
          status: 200,
          routeKey: expect.stringMatching(/^(hello|ack|read|\$default)$/),
        });
        if (isFrame(each)) return;
        // What an earlier hello is answered may come in between.
        const errors = () =>
          socket.frames.slice(before.frames).filter((got) => got.startsWith('{"type":"error"'));
        await until(() => errors().length > 0);
        const [answer = ''] = errors();
        expect(JSON.parse(answer)).toMatchObject({
          problem: {
            type: expect.stringMatching(/malformed-json|validation-failed|unknown-action/),
            status: 400,
          },
        });
        expect(edge.writes.slice(before.writes)).toEqual([]);
      }),
      runs(250),
    );
  });

  test('and the connection still works', async () => {
    const before = socket.frames.length;
    socket.send('{"action":"hello"}');
    await until(() => socket.frames.slice(before).some((each) => each.startsWith('{"type":"caught-up"')));
    const problems = socket.frames.filter((each) => /"status":5\d\d/.test(each));
    expect(problems).toEqual([]);
  });

  test('of bytes that are no text, or too many of them, ends its own connection only', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 50 }).map((each) => Buffer.from(each)),
      fc.integer({ min: 32 * 1024 + 1, max: 200_000 }).map((length) => 'x'.repeat(length)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (each) => {
        const other = await opened();
        other.send(each);
        expect([1003, 1009]).toContain(await other.closed);
      }),
      runs(15),
    );
    const before = socket.frames.length;
    socket.send('x');
    await until(() => socket.frames.length > before);
  });
});

describe('any request for a connection', () => {
  test('is refused where it brings no good token, by something else than a 5xx', async () => {
    const header = fc.record(
      { 'sec-websocket-protocol': fc.constantFrom('chat', 'a, b', 'graphql-ws') },
      { requiredKeys: [] },
    );
    const parameters = fc.oneof(
      query,
      fc.constantFrom(
        '?constructor=1',
        '?__proto__=1',
        '?toString=1&token=x',
        '?token=x&token=y',
        '?token=%00',
        '?token=%ff',
        '?%',
      ),
    );
    await fc.assert(
      fc.asyncProperty(parameters, header, async (target, headers) => {
        const answer = await tried(target, headers);
        if (!isRefused(answer)) throw new Error('It was let in.');
        expect(answer.status).toBe(401);
        expect(JSON.parse(answer.body)).toMatchObject({ message: 'Unauthorized' });
      }),
      runs(80),
    );
  });

  test('with any token is answered 401: none brings the authorizer down', async () => {
    const good = await mint.sign(mint.claims('DuotempoChat', [chatScope], { username: 'mallory' }));
    const bytesOf = (jwt: string): string =>
      jwt
        .split('.')
        .map((each) => Buffer.from(each, 'base64url').toString('hex'))
        .join('.');
    const part = (something: unknown): string => Buffer.from(json(something)).toString('base64url');
    const token = fc.oneof(
      text,
      fc
        .tuple(fc.nat(good.length - 1), fc.constantFrom('A', '.', '_', '=', ' '))
        .map(([at, other]) => `${good.slice(0, at)}${other}${good.slice(at + 1)}`),
      fc
        .tuple(value, value, text)
        .map(([header, payload, signature]) => `${part(header)}.${part(payload)}.${part(signature)}`),
      fc
        .record(
          {
            alg: fc.oneof(text, fc.constantFrom('RS256', 'none', 'HS256', 'RS512')),
            kid: fc.oneof(value, fc.constant(mint.kid)),
            crit: fc.oneof(value, fc.constant(['exp']), fc.constant([])),
            b64: fc.boolean(),
            typ: value,
            jwk: value,
            x5c: value,
          },
          { requiredKeys: ['alg'] },
        )
        .map((header) => `${part(header)}.${good.split('.')[1]}.${good.split('.')[2]}`),
    );
    await fc.assert(
      fc.asyncProperty(
        // The last character of a part has bits that say nothing: such a token is the same token.
        token.filter((each) => bytesOf(each) !== bytesOf(good)),
        async (each) => {
          const answer = await tried(`?token=${encodeURIComponent(each.replaceAll(/\p{Surrogate}/gu, ''))}`);
          if (!isRefused(answer)) throw new Error('It was let in.');
          // A token may be more than a request line may be.
          expect([401, 431]).toContain(answer.status);
        },
      ),
      runs(150),
    );
  });
});

test('after all that no function has failed but the authorizer, as it says no', async () => {
  const failed = edge.system.events.filter(
    (event) =>
      event.type === 'invocation' && event.outcome !== 'success' && event.errorMessage !== 'Unauthorized',
  );
  expect(failed).toEqual([]);
});
