import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from '@jest/globals';
import { conversationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { balanced, reconcile } from '../end-to-end/card-settlement/day.ts';
import { daysAgo, noonOf, sale } from '../end-to-end/system.ts';
import { startEdge } from './edge.ts';
import { createMint } from './tokens.ts';
import { connect, isRefused, type Answer, type Socket } from './wire.ts';

/**
 * Goal: what belongs to somebody else does not exist: every route that names a thing answers a stranger as if there
 * were none, and every frame leaves it as it is.
 * Method: two clients of the card API and three users of the chat, each with a good token.
 */

const WRITE = 'duotempo/transactions.write';
const READ = 'duotempo/transactions.read';
const OPERATE = 'duotempo/settlement.operate';
const CHAT = 'aws.cognito.signin.user.admin';

const edge = await startEdge();
const mint = await createMint(edge.system);

afterAll(async () => {
  await edge.stop();
});

/** The second client that the card API knows, with a gateway's scopes: a second acquirer. */
async function asOtherGateway(method: string, path: string, body?: unknown, key?: string): Promise<Answer> {
  const { OperatorClientId } = edge.system.outputs.DuotempoIdentity;
  return asClient(OperatorClientId, [WRITE, READ], method, path, body, key);
}

async function asGateway(method: string, path: string, body?: unknown, key?: string): Promise<Answer> {
  const { GatewayClientId } = edge.system.outputs.DuotempoIdentity;
  return asClient(GatewayClientId, [WRITE, READ], method, path, body, key);
}

async function asOperator(method: string, path: string, body?: unknown): Promise<Answer> {
  const { OperatorClientId } = edge.system.outputs.DuotempoIdentity;
  return asClient(OperatorClientId, [OPERATE, READ], method, path, body);
}

async function asClient(
  clientId: string,
  scopes: readonly string[],
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answer> {
  const claims = mint.claims('DuotempoCardSettlement', scopes, { client_id: clientId });
  return edge.wire.send(edge.apiUrl('DuotempoCardSettlement'), {
    method,
    path,
    headers: {
      authorization: `Bearer ${await mint.sign(claims)}`,
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function parsed({ body }: Answer): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}

async function staged(
  fields: Readonly<Record<string, unknown>> = {},
  key: string = randomUUID(),
): Promise<string> {
  const answer = await asGateway('POST', '/transactions', sale(fields), key);
  expect(answer.status).toBe(201);
  return String(parsed(answer)['transactionId']);
}

describe('a transaction of another gateway', () => {
  test('does not exist: the same 404 as for one that nobody has', async () => {
    const id = await staged();
    const none = await asOtherGateway('GET', '/transactions/0123456789abcdef0123456789abcdef');
    const foreign = await asOtherGateway('GET', `/transactions/${id}`);
    expect([foreign.status, foreign.body]).toEqual([404, none.body]);
    expect((await asGateway('GET', `/transactions/${id}`)).status).toBe(200);
    expect((await asOperator('GET', `/transactions/${id}`)).status).toBe(200);
  });

  test('cannot be reversed, nor is it told from one that does not exist', async () => {
    const fields = sale();
    const id = await staged(fields);
    const reversal = { ...fields, type: 'reversal' };
    const none = await asOtherGateway(
      'POST',
      '/transactions',
      { ...reversal, originalTransactionId: 'f'.repeat(32) },
      randomUUID(),
    );
    const foreign = await asOtherGateway(
      'POST',
      '/transactions',
      { ...reversal, originalTransactionId: id },
      randomUUID(),
    );
    expect([none.status, parsed(none)['type']]).toEqual([422, 'urn:duotempo:problem:original-not-found']);
    expect([foreign.status, foreign.body]).toEqual([422, none.body]);
    expect(parsed(await asGateway('GET', `/transactions/${id}`))).toMatchObject({ status: 'staged' });
  });

  test('is not found by its idempotency key: each client’s keys are its own', async () => {
    const fields = sale();
    const id = await staged(fields, 'the-same-key');
    const other = await asOtherGateway('POST', '/transactions', { ...fields, amount: 1 }, 'the-same-key');
    expect(other.status).toBe(201);
    expect(parsed(other)['transactionId']).not.toBe(id);
  });

  test('cannot be released or rejected by a gateway, its own neither', async () => {
    const id = await staged();
    for (const action of ['release', 'reject']) {
      for (const ask of [asGateway, asOtherGateway]) {
        const { status, body } = await ask('POST', `/transactions/${id}/${action}`, { reason: 'mine' });
        expect([status, body]).toEqual([403, '{"message":"Forbidden"}']);
      }
    }
  });

  test('waits for review in its own client’s list only', async () => {
    const date = daysAgo(edge.system, 2);
    const twin = { cardToken: 'tok_twin', merchantId: 'mer_twin', occurredAt: noonOf(date) };
    const ids = [
      await staged(twin),
      await staged({ ...twin, occurredAt: noonOf(date).replace(':00Z', ':30Z') }),
    ];
    await reconcile(edge.system, date);
    await edge.system.dayWith(date, balanced);
    const path = `/transactions?status=held&businessDate=${date}`;
    const listed = async (ask: typeof asGateway) =>
      (parsed(await ask('GET', path))['items'] as { transactionId: string }[]).map(
        ({ transactionId }) => transactionId,
      );
    expect(await listed(asGateway)).toEqual([ids[1]]);
    expect(await listed(asOperator)).toEqual([ids[1]]);
    expect(await listed(asOtherGateway)).toEqual([]);
  });

  test('counts at its own client’s terminal only, whatever the terminal is called', async () => {
    const date = daysAgo(edge.system, 4);
    await staged({ terminalId: 'till-shared', occurredAt: noonOf(date) });
    const totals = [{ type: 'sale', currency: 'USD', count: 1, amount: 497 }];
    const path = `/terminals/till-shared/totals/${date}`;
    expect((await asGateway('PUT', path, { totals })).status).toBe(204);
    expect((await asOtherGateway('PUT', path, { totals: [] })).status).toBe(204);
    await reconcile(edge.system, date);
    expect(await edge.system.dayWith(date, balanced)).toMatchObject({ breaks: [] });
  });
});

async function user(name: string) {
  const username = `${name}-${randomUUID().slice(0, 8)}`;
  const token = await mint.sign(mint.claims('DuotempoChat', [CHAT], { username }));
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    edge.wire.send(edge.apiUrl('DuotempoChat'), {
      method,
      path,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    username,
    call,
    post: async (to: string, text: string): Promise<void> => {
      const { status } = await call('POST', '/messages', { to, text, clientMessageId: randomUUID() });
      expect(status).toBe(201);
    },
    waiting: async (count: number): Promise<Record<string, unknown>[]> => {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const items = parsed(await call('GET', '/notifications'))['items'] as Record<string, unknown>[];
        if (items.length >= count) return items;
        if (Date.now() > deadline) throw new Error(`${count} notifications have not come.`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    device: async (): Promise<Socket> => {
      const socket = await connect(`${edge.system.outputs.DuotempoChat.WebSocketUrl}?token=${token}`);
      if (isRefused(socket)) throw new Error(`A device was answered ${socket.status}.`);
      return socket;
    },
  };
}

const typeIs = (type: string) => (frame: string) => frame.startsWith(`{"type":"${type}"`);

describe('a conversation of others', () => {
  test('does not exist over HTTP: the same 404 as for one that nobody has', async () => {
    const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map(user));
    await alice?.post(bob?.username ?? '', 'secret');
    const id = conversationIdOf(alice?.username ?? '', bob?.username ?? '');
    const cursor = Buffer.from('1').toString('base64url');
    for (const query of ['', '?after=0', '?after=1', '?after=999999', `?cursor=${cursor}`, '?limit=1']) {
      const none = await eve?.call('GET', `/conversations/${'0'.repeat(32)}/messages${query}`);
      const foreign = await eve?.call('GET', `/conversations/${id}/messages${query}`);
      expect([query, foreign?.status, foreign?.body]).toEqual([query, 404, none?.body]);
      expect((await bob?.call('GET', `/conversations/${id}/messages${query}`))?.status).toBe(200);
    }
  });

  test('cannot be read or written by a frame, and nobody is told that somebody tried', async () => {
    const [alice, bob, eve] = [await user('alice'), await user('bob'), await user('eve')];
    await alice.post(bob.username, 'secret');
    await bob.waiting(1);
    const [device, stranger] = [await bob.device(), await eve.device()];
    device.send('{"action":"hello"}');
    await device.until(typeIs('caught-up'));
    const conversationId = conversationIdOf(alice.username, bob.username);
    stranger.send(JSON.stringify({ action: 'read', conversationId, sequence: 1 }));
    expect(JSON.parse(await stranger.until(typeIs('error')))).toMatchObject({
      problem: { status: 404, title: 'No such conversation' },
    });
    // What is pushed to eve from now on would be behind this.
    stranger.send('{"action":"hello"}');
    expect(JSON.parse(await stranger.until(typeIs('caught-up')))).toEqual({
      type: 'caught-up',
      conversations: {},
    });
    expect(stranger.frames).toHaveLength(2);
    expect(device.frames.filter(typeIs('read'))).toEqual([]);
    const positions = await edge.system.scan(edge.system.environment('CONVERSATIONS_TABLE'));
    expect(positions.filter(({ userId }) => userId === eve.username)).toEqual([]);
    device.close();
    stranger.close();
  });
});

describe('a notification of another user', () => {
  test('does not exist over HTTP, and still waits for its own', async () => {
    const [alice, bob, eve] = [await user('alice'), await user('bob'), await user('eve')];
    await alice.post(bob.username, 'secret');
    const [notification] = await bob.waiting(1);
    const path = `/notifications/${String(notification?.['notificationId'])}`;
    const none = await eve.call('DELETE', `/notifications/${'0'.repeat(32)}-0000001`);
    for (const stranger of [eve, alice]) {
      const foreign = await stranger.call('DELETE', path);
      expect([foreign.status, foreign.body]).toEqual([404, none.body]);
      expect(parsed(await stranger.call('GET', '/notifications'))).toEqual({ items: [] });
      const cursor = Buffer.from(JSON.stringify(notification?.['notificationId'])).toString('base64url');
      expect(parsed(await stranger.call('GET', `/notifications?cursor=${cursor}`))).toEqual({ items: [] });
    }
    expect(await bob.waiting(1)).toEqual([notification]);
    expect((await bob.call('DELETE', path)).status).toBe(204);
  });

  test('is not acknowledged by a frame of a stranger, nor pushed to one', async () => {
    const [alice, bob, eve] = [await user('alice'), await user('bob'), await user('eve')];
    const stranger = await eve.device();
    stranger.send('{"action":"hello"}');
    await stranger.until(typeIs('caught-up'));
    await alice.post(bob.username, 'secret');
    const [notification] = await bob.waiting(1);
    stranger.send(JSON.stringify({ action: 'ack', notificationIds: [notification?.['notificationId']] }));
    stranger.send('{"action":"nothing"}');
    await stranger.until(typeIs('error'));
    expect(await bob.waiting(1)).toEqual([notification]);
    expect(stranger.frames.filter(typeIs('notification'))).toEqual([]);
    stranger.close();
  });
});

describe('another name than the token’s', () => {
  test.each(['from', 'userId', 'username', 'sender'])(
    'in the field %s of a message is refused',
    async (field) => {
      const alice = await user('alice');
      const body = { to: 'bob', text: 'hello', clientMessageId: randomUUID(), [field]: 'eve' };
      expect((await alice.call('POST', '/messages', body)).status).toBe(400);
    },
  );

  test.each([
    { action: 'hello', userId: 'bob' },
    { action: 'hello', connectionId: 'other' },
    { action: 'ack', notificationIds: ['x'], userId: 'bob' },
    { action: 'read', conversationId: '0'.repeat(32), sequence: 1, userId: 'bob' },
  ])('in the frame %j is refused', async (frame) => {
    const device = await (await user('alice')).device();
    device.send(JSON.stringify(frame));
    expect(JSON.parse(await device.until(typeIs('error')))).toMatchObject({ problem: { status: 400 } });
    device.close();
  });

  test('in a header or in the query of a connection is not heard', async () => {
    const alice = await user('alice');
    const token = await mint.sign(mint.claims('DuotempoChat', [CHAT], { username: alice.username }));
    const socket = await connect(
      `${edge.system.outputs.DuotempoChat.WebSocketUrl}?token=${token}&userId=bob&username=bob`,
      { 'x-user-id': 'bob' },
    );
    if (isRefused(socket)) throw new Error(`The connection was answered ${socket.status}.`);
    socket.send('{"action":"hello"}');
    await socket.until(typeIs('caught-up'));
    const connections = await edge.system.scan(edge.system.environment('CONNECTIONS_TABLE'));
    expect(connections.filter(({ userId }) => userId === 'bob')).toEqual([]);
    expect(connections.filter(({ userId }) => userId === alice.username)).toHaveLength(1);
    socket.close();
  });
});
