import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { postMessage } from '../../../lambda/chat/messages/handler.ts';
import type { PostServices } from '../../../lambda/chat/messages/write-message.ts';
import type { Message } from '../../../lambda/chat/domain/message.ts';
import type { HttpRequest, HttpResponse } from '../../../lambda/shared/http.ts';
import { Problem } from '../../../lambda/shared/problem.ts';
import { captureLog } from '../shared/captured-log.ts';
import { chatMessage, settled } from './world.ts';

/**
 * Goal: a conversation is 1 to n without a gap, and a message stands in it once, whoever writes at the same moment.
 * Method: writers on a table in memory, under a scheduler that tries the interleavings of their calls.
 */

interface Post {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly clientMessageId: string;
}

function createTable(step: <T>(effect: () => T) => Promise<T> = async (effect) => Promise.resolve(effect())) {
  const messages: Message[] = [];
  const members = new Set<string>();
  const services: PostServices = {
    now: () => new Date('2026-03-10T16:05:00.000Z'),
    messages: {
      last: async (id) => step(() => messages.findLast(({ conversationId }) => conversationId === id)),
      find: async (id, messageId) =>
        step(() =>
          messages.find((message) => message.conversationId === id && message.messageId === messageId),
        ),
      put: async (message) =>
        step(() => {
          const { conversationId: id, from, to } = message;
          // Whoever lists conversations may come at any moment.
          if (!members.has(`${from} ${id} ${to}`) || !members.has(`${to} ${id} ${from}`))
            throw new Error('A message is in a conversation that its members do not find.');
          const taken = messages.some(
            ({ conversationId, sequence }) =>
              conversationId === message.conversationId && sequence === message.sequence,
          );
          if (taken) return 'taken';
          messages.push(message);
          return 'written';
        }),
    },
    conversations: {
      add: async ({ userId, conversationId, with: other }) =>
        step(() => void members.add(`${userId} ${conversationId} ${other}`)),
    },
    rateLimits: { take: async () => step(() => undefined) },
    rateLimit: { messages: 50, windowSeconds: 10 },
    pause: async () => step(() => undefined),
  };
  return { messages, services };
}

function request({ from, ...body }: Post): HttpRequest {
  return {
    requestId: 'request-1',
    routeKey: 'POST /messages',
    path: {},
    query: {},
    headers: {},
    caller: { clientId: 'chat-client', scopes: ['aws.cognito.signin.user.admin'], username: from },
    body: JSON.stringify(body),
  };
}

async function send(post: Post, services: PostServices): Promise<HttpResponse> {
  return (await captureLog(() => postMessage(request(post), services))).result;
}

const hello: Post = { from: 'ada', to: 'bob', text: 'hello', clientMessageId: 'one' };

describe('messages of writers at the same moment', () => {
  it('are numbered from 1 without a gap, each once, however often it is sent', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(
        fc.record({
          from: fc.constantFrom('ada', 'bob'),
          clientMessageId: fc.constantFrom('a', 'b', 'c'),
        }),
        { minLength: 2, maxLength: 6 },
      ),
      async (scheduler, posts) => {
        const { messages, services } = createTable(async (effect) =>
          scheduler.schedule(Promise.resolve()).then(effect),
        );
        const all = posts.map(({ from, clientMessageId }) => ({
          from,
          to: from === 'ada' ? 'bob' : 'ada',
          text: `${from} ${clientMessageId}`,
          clientMessageId,
        }));
        const answers = await settled(
          scheduler,
          Promise.all(all.map(async (post) => postMessage(request(post), services))),
        );
        const different = new Set(all.map(({ text }) => text));
        expect(messages.map(({ sequence }) => sequence)).toEqual(
          Array.from(different, (_, index) => index + 1),
        );
        expect(new Set(messages.map(({ text }) => text))).toEqual(different);
        expect(answers.filter(({ status }) => status === 201)).toHaveLength(different.size);
        for (const [index, { body }] of answers.entries()) {
          const { sequence } = body as { sequence: number };
          expect(messages[sequence - 1]?.text).toBe(all[index]?.text);
        }
      },
    );
    await captureLog(async () => fc.assert(property, { numRuns: 200, seed: 1 }));
  });

  it('give up after many attempts, so that the request can be sent again', async () => {
    const { services } = createTable();
    let pauses = 0;
    const busy = {
      ...services,
      messages: { ...services.messages, put: async () => Promise.resolve('taken' as const) },
      pause: async () => Promise.resolve(void (pauses += 1)),
    };
    await expect(send(hello, busy)).rejects.toMatchObject({ status: 503, slug: 'conversation-busy' });
    expect(pauses).toBe(50);
  });
});

describe('a message', () => {
  it('whose sender has written too many is refused and not written; a replay is not counted', async () => {
    const { messages, services } = createTable();
    await send(hello, services);
    const full = { ...services, rateLimits: { take: async () => Promise.resolve(7) } };
    const refused = await send({ ...hello, clientMessageId: 'two' }, full);
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '7', 'content-type': 'application/problem+json' },
      body: { type: 'urn:duotempo:problem:too-many-messages', status: 429 },
    });
    expect((await send(hello, full)).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it('for which the conversation has no room is refused, at the first attempt', async () => {
    const { services } = createTable();
    let puts = 0;
    const full = {
      ...services,
      messages: {
        ...services.messages,
        put: async () => {
          puts += 1;
          return Promise.resolve('full' as const);
        },
      },
    };
    await expect(send(hello, full)).rejects.toMatchObject({ status: 409, slug: 'conversation-full' });
    expect(puts).toBe(1);
  });

  it('is counted once, however often others come before it', async () => {
    const { services } = createTable();
    let [counted, refusals] = [0, 3];
    await send(hello, {
      ...services,
      messages: {
        ...services.messages,
        put: async (message) => (refusals-- > 0 ? 'taken' : services.messages.put(message)),
      },
      rateLimits: { take: async () => Promise.resolve(void (counted += 1)) },
    });
    expect(counted).toBe(1);
  });

  it('does not enter a conversation that has come to its end', async () => {
    const { services } = createTable();
    const full = {
      ...services,
      messages: { ...services.messages, last: async () => Promise.resolve(chatMessage(1_000_000)) },
    };
    await expect(send(hello, full)).rejects.toMatchObject({ status: 409, slug: 'conversation-full' });
  });

  it('of the same id to another recipient is another message', async () => {
    const { messages, services } = createTable();
    await send(hello, services);
    expect((await send({ ...hello, to: 'cy' }, services)).status).toBe(201);
    expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it.each([undefined, '', 'Ada', 'a b', 'a'.repeat(65)])('of the user %s is refused', async (username) => {
    const { messages, services } = createTable();
    const { username: _, ...caller } = request(hello).caller;
    const work = postMessage(
      { ...request(hello), caller: username === undefined ? caller : { ...caller, username } },
      services,
    );
    await expect(work).rejects.toBeInstanceOf(Problem);
    await expect(work).rejects.toMatchObject({ status: 403 });
    expect(messages).toEqual([]);
  });

  it('is logged without its text, its sender or its recipient', async () => {
    const { services } = createTable();
    const { lines } = await captureLog(() =>
      postMessage(request({ ...hello, text: 'very-secret' }), services),
    );
    expect(JSON.stringify(lines)).toContain('message written');
    expect(JSON.stringify(lines)).not.toMatch(/very-secret|ada|bob/);
  });
});
