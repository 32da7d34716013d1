import { beforeEach, describe, expect, it } from '@jest/globals';
import { deviceHandler, type DeviceRequest } from '../../../lambda/chat/device.ts';
import type { NotificationPlace } from '../../../lambda/chat/domain/identifiers.ts';
import { notificationIdOf } from '../../../lambda/chat/domain/identifiers.ts';
import type { ServerFrame } from '../../../lambda/chat/frames.ts';
import { ack } from '../../../lambda/chat/inbox/ack-handler.ts';
import { refuseFrame } from '../../../lambda/chat/devices/unknown-action-handler.ts';
import { hello, type HelloServices } from '../../../lambda/chat/devices/hello.ts';
import { read, type ReadServices } from '../../../lambda/chat/devices/read.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { captureLog } from '../shared/captured-log.ts';
import { ada, bob, chatMessage, conversation } from './world.ts';

const request = (frame: unknown, userId = bob): DeviceRequest => ({
  connectionId: 'here',
  userId,
  body: JSON.stringify(frame),
});

const event = (body: string | undefined) => ({
  requestContext: {
    connectionId: 'here',
    routeKey: 'hello',
    requestId: 'request-1',
    authorizer: { userId: bob, principalId: bob },
  },
  ...(body === undefined ? {} : { body }),
  isBase64Encoded: false,
});

describe('a frame’s handler', () => {
  async function handle(work: (device: DeviceRequest) => Promise<void>, body: string | undefined) {
    const frames: [string, ServerFrame][] = [];
    const handler = deviceHandler(work, async (connectionId, frame) => {
      frames.push([connectionId, frame]);
      return Promise.resolve('sent');
    });
    const { result, lines } = await captureLog(() => handler(event(body), { awsRequestId: 'invocation' }));
    return { result, lines, frames };
  }

  it('gets who is there from the authorizer, and the frame', async () => {
    const seen: DeviceRequest[] = [];
    const work = async (device: DeviceRequest) => Promise.resolve(void seen.push(device));
    expect((await handle(work, '{"from":"eve"}')).result).toEqual({ statusCode: 200 });
    await handle(work, undefined);
    expect(seen).toEqual([
      { connectionId: 'here', userId: bob, body: '{"from":"eve"}' },
      { connectionId: 'here', userId: bob, body: '' },
    ]);
  });

  it('sends a problem to the device that caused it', async () => {
    const problem = new Problem(400, 'unknown-action', 'No such action');
    const { frames, result, lines } = await handle(async () => Promise.reject(problem), '{}');
    expect(frames).toEqual([
      [
        'here',
        {
          type: 'error',
          problem: { type: 'urn:duotempo:problem:unknown-action', title: 'No such action', status: 400 },
        },
      ],
    ]);
    expect(result).toEqual({ statusCode: 400 });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'info', message: 'frame refused', problem: 'unknown-action' }),
    ]);
  });

  it('logs any other error, and tells the device nothing of it', async () => {
    const { frames, lines } = await handle(async () => Promise.reject(new Error('table xyz')), '{}');
    expect(JSON.stringify(frames)).toContain('internal-error');
    expect(JSON.stringify(frames)).not.toContain('xyz');
    expect(JSON.stringify(lines)).toContain('table xyz');
  });

  it('fails without an authorized user', async () => {
    const handler = deviceHandler(
      async () => Promise.resolve(),
      async () => Promise.resolve('sent'),
    );
    const { authorizer: _, ...requestContext } = event('').requestContext;
    await expect(handler({ requestContext }, { awsRequestId: 'invocation' })).rejects.toThrow('authorizer');
  });
});

describe('hello', () => {
  const calls: unknown[] = [];
  beforeEach(() => {
    calls.length = 0;
  });
  const services = (drain: 'requested' | 'draining' | 'caught-up'): HelloServices => ({
    now: () => new Date(),
    connections: {
      requestDrain: async (device) => {
        calls.push(['request', device]);
        return Promise.resolve(drain);
      },
    },
    sendDrain: async (message) => Promise.resolve(void calls.push(['send', message])),
    pushFrame: async (...push) => {
      calls.push(['push', ...push]);
      return Promise.resolve('sent');
    },
  });
  const asked = ['request', { userId: bob, connectionId: 'here' }];

  it('stores the connection, then asks for the drain', async () => {
    await hello(request({ action: 'hello' }), services('requested'));
    expect(calls).toEqual([asked, ['send', { userId: bob, connectionId: 'here' }]]);
  });

  it('of a device that is being drained is answered by the end of that drain', async () => {
    await hello(request({ action: 'hello' }), services('draining'));
    expect(calls).toEqual([asked]);
  });

  it('of a device that has just caught up is answered at once', async () => {
    await hello(request({ action: 'hello' }), services('caught-up'));
    expect(calls).toEqual([asked, ['push', 'here', { type: 'caught-up', conversations: {}, more: true }]]);
  });

  it('refuses to be somebody else', async () => {
    await expect(
      hello(request({ action: 'hello', userId: ada }), services('requested')),
    ).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/userId' }] });
    expect(calls).toEqual([]);
  });
});

describe('ack', () => {
  it('acknowledges what it names in the inbox of its own user, each once, and nothing else', async () => {
    const acknowledged: [string, NotificationPlace][] = [];
    const places = Array.from({ length: 60 }, (_, index) => ({
      conversationId: conversation,
      sequence: index + 1,
    }));
    const notificationIds = [...places, ...places.slice(0, 5)].map(notificationIdOf);
    await ack(request({ action: 'ack', notificationIds: [...notificationIds, 'unknown'] }), {
      now: () => new Date(),
      inbox: { has: async () => Promise.resolve(true), remove: async () => Promise.resolve() },
      acknowledgements: {
        has: async () => Promise.resolve(false),
        put: async (userId, place) => Promise.resolve(void acknowledged.push([userId, place])),
      },
    });
    expect(acknowledged).toEqual(places.map((place) => [bob, place]));
  });
});

describe('read', () => {
  function world(changes: Partial<ReadServices> = {}) {
    const positions = new Map<string, number>();
    const pushed: [string, ServerFrame][] = [];
    const services: ReadServices = {
      now: () => new Date(),
      messages: {
        last: async (id) => Promise.resolve(id === conversation ? chatMessage(7) : undefined),
      },
      conversations: {
        advance: async ({ userId, sequence }) => {
          if ((positions.get(userId) ?? 0) >= sequence) return Promise.resolve(false);
          positions.set(userId, sequence);
          return Promise.resolve(true);
        },
      },
      connections: {
        live: async (userId) => Promise.resolve(userId === bob ? ['here', 'elsewhere'] : ['of-ada']),
        remove: async () => Promise.resolve(),
      },
      pushFrame: async (connectionId, frame) => {
        pushed.push([connectionId, frame]);
        return Promise.resolve('sent');
      },
      isTimeUp: () => false,
      ...changes,
    };
    const at = async (sequence: number, userId = bob, conversationId = conversation) =>
      read(request({ action: 'read', conversationId, sequence }, userId), services);
    return { positions, pushed, at };
  }

  it('moves forward, is clamped, and tells the devices of both but the one that says it', async () => {
    const { positions, pushed, at } = world();
    for (const sequence of [3, 2, 3, 999, 7]) await at(sequence);
    expect(positions).toEqual(new Map([[bob, 7]]));
    const receipt = (sequence: number) => ({
      type: 'read',
      conversationId: conversation,
      by: bob,
      sequence,
    });
    expect(pushed.toSorted(([one], [other]) => (one < other ? -1 : 1))).toEqual([
      ['elsewhere', receipt(3)],
      ['elsewhere', receipt(7)],
      ['of-ada', receipt(3)],
      ['of-ada', receipt(7)],
    ]);
  });

  it('of a conversation of others, or of none, is the same: there is none', async () => {
    const { positions, at } = world();
    await expect(at(1, 'eve')).rejects.toMatchObject({ status: 404 });
    await expect(at(1, bob, '0'.repeat(32))).rejects.toMatchObject({ status: 404 });
    expect(positions.size).toBe(0);
  });

  it('is done when a receipt cannot be pushed', async () => {
    const { positions, at } = world({ pushFrame: async () => Promise.reject(new Error('throttled')) });
    const { lines } = await captureLog(() => at(4));
    expect(positions).toEqual(new Map([[bob, 4]]));
    expect(lines).toHaveLength(2);
  });
});

it('any other frame is refused by what is wrong with it', async () => {
  const refuse = async (body: string) => refuseFrame({ ...request({}), body });
  await expect(refuse('{')).rejects.toMatchObject({ slug: 'malformed-json' });
  await expect(refuse('{"action":"x"}')).rejects.toMatchObject({ slug: 'unknown-action' });
});
