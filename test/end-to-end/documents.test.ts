import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { HttpResponse } from '../../cli/shared/http.ts';
import { conversationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { chatLiveDocument } from '../../tools/asyncapi/chat-live.ts';
import { apiNames, openApiDocument, type ApiName } from '../../tools/openapi/document.ts';
import { faultsOf, resolved } from '../openapi/json-schema-check.ts';
import { balanced, reconcile } from './card-settlement/day.ts';
import { eventually } from '../eventually.ts';
import { startChat, type People, type Person } from './chat/people.ts';
import { daysAgo, noonOf, sale, textOf, type System } from './system.ts';

/**
 * Goal: the APIs answer what the OpenAPI documents say, and the WebSocket API what the AsyncAPI document says.
 * Method: every operation is called, and every action sent, on the running app. Statuses, content types, headers and
 * every member of what comes back are held against the documents; unknown members are faults.
 */

type Json = Record<string, unknown>;

interface Operation {
  readonly responses: Readonly<Record<string, Json>>;
}

const documents = Object.fromEntries(
  apiNames.map((api) => [api, JSON.parse(JSON.stringify(openApiDocument(api)))]),
) as Readonly<
  Record<ApiName, { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }>
>;
const called = new Set<string>();
const merchantId = 'mer_documented';

const liveDocument = JSON.parse(JSON.stringify(chatLiveDocument()));
const liveMessages = liveDocument.components.messages as Record<string, Json>;

let system: System;
let people: People;
const sockets: WebSocket[] = [];
let date: string;

beforeAll(async () => {
  ({ system, people } = await startChat());
  date = daysAgo(system, 5);
});

afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await people.stop();
  await system.stop();
});

function documented(operation: string, answer: HttpResponse, status: number): unknown {
  const { body, headers } = answer;
  if (answer.status !== status) {
    throw new Error(`${operation} was answered ${answer.status}: ${JSON.stringify(body)}`);
  }
  if (status < 300) called.add(operation);
  const [method = '', path = ''] = operation.split(' ');
  const document = Object.values(documents).find(({ paths }) => Object.hasOwn(paths, path));
  const found = document?.paths[path]?.[method.toLowerCase()]?.responses[status] ?? {};
  const response = typeof found['$ref'] === 'string' ? resolved(found['$ref'], document) : found;
  expect(Object.keys(response)).toContain('description');

  for (const [name, header] of Object.entries((response['headers'] ?? {}) as Record<string, Json>)) {
    const value = headers[name.toLowerCase()];
    // Of an answer that has several forms, a header belongs to one of them.
    if (value === undefined && Object.keys(response['content'] ?? {}).length > 1) continue;
    expect([name, faultsOf(value, header['schema'] as Json, { document })]).toEqual([name, []]);
  }
  const content = response['content'] as Record<string, { schema: Json }> | undefined;
  if (content === undefined) {
    expect(body ?? '').toBe('');
    return undefined;
  }
  const schema = content[String(headers['content-type']).split(';', 1)[0] ?? '']?.schema;
  if (schema === undefined) throw new Error(`${operation}: ${headers['content-type']} is not documented`);
  expect([operation, faultsOf(body, schema, { document, closed: true })]).toEqual([operation, []]);
  return body;
}

async function post(
  body: unknown,
  key = randomUUID(),
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpResponse> {
  return system.call('gateway', 'POST', '/transactions', {
    body,
    headers: { 'idempotency-key': key, ...headers },
  });
}

async function get(path: string, headers?: Record<string, string>): Promise<HttpResponse> {
  return system.call('gateway', 'GET', path, headers === undefined ? {} : { headers });
}

test('the card API answers as documented', async () => {
  const profile = {
    name: 'Tokyo Sweets',
    country: 'JP',
    settlementCurrency: 'JPY',
    feeBasisPoints: 250,
    feeFixedMinor: 10,
  };
  const putMerchant = await system.call('operator', 'PUT', `/merchants/${merchantId}`, { body: profile });
  documented('PUT /merchants/{merchantId}', putMerchant, 204);
  const rates = { base: 'USD', source: 'test', rateDate: date, rates: { JPY: '150.25' } };
  const putRates = await system.call('operator', 'PUT', `/fx-rates/${date}`, { body: rates });
  documented('PUT /fx-rates/{businessDate}', putRates, 204);

  const location = { latitude: 35.6762, longitude: 139.6503 };
  const body = sale({ merchantId, occurredAt: noonOf(date), merchantCountry: 'JP', location });
  const key = randomUUID();
  const posted = documented('POST /transactions', await post(body, key), 201);
  documented('POST /transactions', await post(body, key), 200);
  documented('POST /transactions', await post(body, key, { 'content-type': 'text/plain' }), 200);
  documented('POST /transactions', await post({ ...body, amount: 1 }, key), 422);
  documented('POST /transactions', await post({ ...body, extra: 1 }), 400);
  await post(sale({ occurredAt: noonOf(date) }));
  const transactionPath = `/transactions/${textOf(posted, 'transactionId')}`;
  documented('GET /transactions/{transactionId}', await get(transactionPath), 200);
  documented('GET /transactions/{transactionId}', await get('/transactions/unknown'), 404);

  const requested = await system.call('operator', 'POST', `/business-days/${date}/reconcile`);
  documented('POST /business-days/{businessDate}/reconcile', requested, 202);
  await reconcile(system, daysAgo(system, 6));
  await system.dayWith(date, balanced);
  const settled = documented('GET /transactions/{transactionId}', await get(transactionPath), 200);
  expect(settled).toMatchObject({ status: 'settled', entries: [{ conversion: { toRate: '150.25' } }] });

  const day = documented('GET /business-days/{businessDate}', await get(`/business-days/${date}`), 200);
  expect(day).toMatchObject({ status: 'balanced', totals: { USD: { settled: { count: 2 } } } });
  documented('GET /business-days/{businessDate}', await get('/business-days/1999-01-01'), 404);
  const days = documented('GET /business-days', await get('/business-days?limit=1'), 200);
  expect(days).toHaveProperty('cursor');

  const settlement = `/settlements/${date}`;
  const page = documented('GET /settlements/{businessDate}', await get(`${settlement}?limit=1`), 200);
  expect(page).toMatchObject({ final: true, items: [{}], cursor: expect.anything() });
  const file = await get(settlement, { accept: 'text/csv' });
  documented('GET /settlements/{businessDate}', file, 200);
  expect(file.headers).toHaveProperty('content-disposition');
  const ofMerchant = 'GET /settlements/{businessDate}/merchants/{merchantId}';
  const entries = documented(ofMerchant, await get(`${settlement}/merchants/${merchantId}`), 200);
  expect(entries).toMatchObject({ items: [{ merchantId }] });
  documented(ofMerchant, await get(`${settlement}/merchants/${merchantId}?limit=0`), 400);

  const totals = [{ type: 'sale', currency: 'USD', count: 3, amount: 994 }];
  const reportPath = `/terminals/${textOf(body, 'terminalId')}/totals/${date}`;
  const report = await system.call('gateway', 'PUT', reportPath, { body: { totals } });
  documented('PUT /terminals/{terminalId}/totals/{businessDate}', report, 204);
  await reconcile(system, date);
  const differing = await system.dayWith(date, ({ breaks }) => Array.isArray(breaks) && breaks.length === 1);
  expect(differing).toMatchObject({ breaks: [{ kind: 'terminal-totals', expected: [{ count: 3 }] }] });
  documented('GET /business-days/{businessDate}', await get(`/business-days/${date}`), 200);

  documented('GET /business-days', await get('/business-days', { authorization: 'Bearer none' }), 401);
  documented('GET /business-days', await get('/business-days', { 'x-long': 'x'.repeat(10_300) }), 431);
  const unscoped = await system.call('gateway', 'PUT', `/merchants/${merchantId}`, { body: profile });
  documented('PUT /merchants/{merchantId}', unscoped, 403);
});

test('reviews and reversals answer as documented', async () => {
  const day = daysAgo(system, 3);
  // The same card, merchant and amount again, a minute later: the later two are held.
  const again = { merchantId, cardToken: 'tok_twice', currency: 'USD', amount: 500 };
  const [, released, rejected] = [
    await system.stage({ ...again, occurredAt: noonOf(day) }),
    await system.stage({ ...again, occurredAt: noonOf(day).replace('12:00:', '12:01:') }),
    await system.stage({ ...again, occurredAt: noonOf(day).replace('12:00:', '12:02:') }),
  ];
  const undone = sale({ ...again, amount: 900, occurredAt: noonOf(day) });
  const reversible = textOf((await post(undone)).body, 'transactionId');
  const reversal = { ...undone, type: 'reversal', originalTransactionId: reversible };
  const key = randomUUID();
  documented('POST /transactions', await post(reversal, key), 201);
  documented('POST /transactions', await post(reversal, key), 200);
  documented('POST /transactions', await post({ ...reversal, amount: 1 }), 422);
  documented('POST /transactions', await post({ ...reversal, originalTransactionId: 'unknown' }), 422);
  await reconcile(system, day);
  await system.dayWith(day, balanced);

  const listHeld = 'GET /transactions';
  const waiting = `/transactions?status=held&businessDate=${day}`;
  const page = documented(listHeld, await get(`${waiting}&limit=1`), 200);
  expect(page).toMatchObject({ items: [{ rules: [{ rule: 'duplicate' }] }], cursor: expect.anything() });
  documented(listHeld, await get('/transactions?status=open'), 400);

  const decide = async (action: string, id: string | undefined): Promise<HttpResponse> =>
    system.call('operator', 'POST', `/transactions/${id}/${action}`, {
      body: { reason: 'asked the holder' },
    });
  const release = 'POST /transactions/{transactionId}/release';
  const reject = 'POST /transactions/{transactionId}/reject';
  documented(release, await decide('release', released), 200);
  documented(reject, await decide('reject', rejected), 200);
  documented(reject, await decide('reject', released), 409);
  documented(release, await decide('release', reversible), 409);
  documented(release, await decide('release', 'unknown'), 404);
  documented(
    'POST /transactions',
    await post({ ...reversal, originalTransactionId: released, amount: 500 }),
    409,
  );
  expect(documented(listHeld, await get(waiting), 200)).toEqual({ items: [] });

  await reconcile(system, system.today);
  const getTransaction = 'GET /transactions/{transactionId}';
  const settled = async (): Promise<unknown> =>
    documented(getTransaction, await get(`/transactions/${released}`), 200);
  await eventually(async () => ((await settled()) as Json)['status'] === 'settled', 'the release is settled');
  expect(await settled()).toMatchObject({ decision: { reason: 'asked the holder' }, entries: [{}, {}] });
  const reversed = documented(getTransaction, await get(`/transactions/${reversible}`), 200);
  expect(reversed).toMatchObject({ status: 'reversed', decision: { decision: 'reversal' } });
  documented('GET /business-days/{businessDate}', await get(`/business-days/${system.today}`), 200);
});

test('the chat API answers as documented', async () => {
  const [alice, bob]: Person[] = [people.person('alice'), people.person('bob')];
  if (alice === undefined || bob === undefined) throw new Error('There are two.');
  const body = { to: bob.name, text: 'hello', clientMessageId: randomUUID() };
  documented('POST /messages', await alice.call('POST', '/messages', { body }), 201);
  documented('POST /messages', await alice.call('POST', '/messages', { body }), 200);
  const reused = await alice.call('POST', '/messages', { body: { ...body, text: 'another' } });
  documented('POST /messages', reused, 422);
  documented('POST /messages', await alice.call('POST', '/messages', { body: {} }), 400);
  await alice.post(bob, 'again');

  const history = `/conversations/${conversationIdOf(alice.name, bob.name)}/messages`;
  const listMessages = 'GET /conversations/{conversationId}/messages';
  const messages = documented(listMessages, await bob.call('GET', `${history}?limit=1`), 200);
  expect(messages).toMatchObject({ items: [{ text: 'hello' }], cursor: expect.anything() });
  const after = documented(listMessages, await bob.call('GET', `${history}?after=1`), 200);
  expect(after).toMatchObject({ items: [{ text: 'again' }] });
  documented(listMessages, await people.person('carol').call('GET', history), 404);

  const conversations = documented('GET /conversations', await bob.call('GET', '/conversations'), 200);
  expect(conversations).toEqual({
    items: [
      {
        conversationId: conversationIdOf(alice.name, bob.name),
        with: alice.name,
        lastSequence: 2,
        readSequence: 0,
      },
    ],
  });

  await eventually(async () => (await bob.waiting()).length === 2, 'two notifications wait');
  const waiting = documented('GET /notifications', await bob.call('GET', '/notifications'), 200);
  const { items } = waiting as { items: Json[] };
  expect(items.map(({ text }) => text)).toEqual(['hello', 'again']);
  const first = `/notifications/${textOf(items[0], 'notificationId')}`;
  documented('DELETE /notifications/{notificationId}', await bob.call('DELETE', first), 204);
  documented('DELETE /notifications/{notificationId}', await bob.call('DELETE', '/notifications/none'), 404);

  const headers = { authorization: 'Bearer none' };
  documented('GET /notifications', await bob.call('GET', '/notifications', { headers }), 401);
});

test('no operation is left out above', () => {
  const operations = Object.values(documents).flatMap(({ paths }) =>
    Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  );
  expect([...called].toSorted()).toEqual(operations.toSorted());
});

/** The names of the document's messages of a direction that a frame is. */
function namesOf(frame: unknown, action: 'send' | 'receive'): string[] {
  const operations = Object.entries(liveDocument.operations as Record<string, Json>);
  return operations
    .filter(([, operation]) => operation['action'] === action)
    .map(([name]) => name)
    .filter(
      (name) =>
        faultsOf(frame, liveMessages[name]?.['payload'] as Json, { document: liveDocument, closed: true })
          .length === 0,
    );
}

/** A device with the frames that it got, each by its name in the document. */
async function connect(person: Person) {
  const { bindings } = liveDocument.channels.connection;
  const [parameter = ''] = bindings.ws.query.required as string[];
  const socket = new WebSocket(
    `${system.outputs.DuotempoChat.WebSocketUrl}?${parameter}=${await person.token()}`,
  );
  sockets.push(socket);
  const got: { readonly name: string; readonly frame: Json }[] = [];
  const undocumented: unknown[] = [];
  socket.on('message', (data: Buffer) => {
    const frame: Json = JSON.parse(data.toString());
    const names = namesOf(frame, 'send');
    if (names.length !== 1) undocumented.push(frame);
    got.push({ name: names.join(), frame });
  });
  await once(socket, 'open');
  return {
    send: (frame: Json) => socket.send(JSON.stringify(frame)),
    undocumented,
    next: async (name: string): Promise<Json> => {
      let found = -1;
      await eventually(() => {
        found = got.findIndex((each) => each.name === name);
        return Promise.resolve(found >= 0 || undocumented.length > 0);
      }, `${name} arrives`);
      expect(undocumented).toEqual([]);
      return got.splice(found, 1)[0]?.frame ?? {};
    },
  };
}

test('devices and the server say what is documented', async () => {
  const [alice, bob] = ['alice', 'bob'].map(people.person);
  if (alice === undefined || bob === undefined) throw new Error('There are two.');
  const conversationId = conversationIdOf(alice.name, bob.name);
  const sent = {
    hello: { action: 'hello' },
    read: { action: 'read', conversationId, sequence: 1 },
    ack: { action: 'ack', notificationIds: [`${conversationId}-0000001`] },
  };
  for (const [name, frame] of Object.entries(sent)) expect(namesOf(frame, 'receive')).toEqual([name]);

  const [hers, his] = [await connect(alice), await connect(bob)];
  for (const device of [hers, his]) {
    device.send(sent.hello);
    await device.next('caughtUp');
  }
  his.send(sent.hello);
  expect(await his.next('caughtUp')).toMatchObject({ more: true });

  await alice.post(bob, 'hello \u{1F600}');
  expect(await his.next('notification')).toMatchObject({ from: alice.name, sequence: 1 });
  his.send(sent.read);
  expect(await hers.next('readReceipt')).toMatchObject({ by: bob.name, sequence: 1 });
  his.send(sent.ack);
  await eventually(async () => (await bob.waiting()).length === 0, 'it is acknowledged');

  const refused = [{ action: 'wave' }, { ...sent.ack, notificationIds: [] }, { ...sent.read, sequence: 0 }];
  for (const frame of refused) {
    expect(namesOf(frame, 'receive')).toEqual([]);
    his.send(frame);
    expect(await his.next('error')).toMatchObject({ problem: { status: 400 } });
  }
  expect([hers.undocumented, his.undocumented]).toEqual([[], []]);
});

test('without a token there is no connection', async () => {
  const { name, in: place } = liveDocument.components.securitySchemes.token;
  expect([name, place]).toEqual(['token', 'query']);
  const socket = new WebSocket(system.outputs.DuotempoChat.WebSocketUrl);
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  expect(response.statusCode).toBe(401);
  socket.terminate();
});
