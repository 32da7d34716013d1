import { setTimeout as pause } from 'node:timers/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { ApiGatewayManagementApi } from '@aws-sdk/client-apigatewaymanagementapi';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { createCredentialStore, startAwsEndpoint, type AwsCall } from '../../../local/endpoint/index.ts';
import { serveConnections } from '../../../local/api-gateway/connections-service.ts';
import type { HostEvent } from '../../../local/services.ts';
import type { Invocation } from '../../../local/lambda/function-definition.ts';
import { startMountServer } from '../../../local/http/server.ts';
import { isJsonObject, objectAt, textAt, type JsonObject } from '../../../local/template/template.ts';
import {
  WebSocketApis,
  type WebSocketApiDefinition,
  type WebSocketRoute,
} from '../../../local/api-gateway/web-socket-api.ts';
import type { WebSocketLimits } from '../../../local/api-gateway/web-socket-connection.ts';
import { eventually } from '../../eventually.ts';

const place = { region: 'us-east-1', accountId: '000000000000' };
const stops: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

type Handler = (event: JsonObject, functionArn: string) => Promise<Invocation> | Invocation;

const succeed = (payload: unknown): Invocation => ({ kind: 'success', payload });
const fail = (errorMessage: string): Invocation => ({ kind: 'error', errorType: 'Error', errorMessage });
const ok = () => succeed({ statusCode: 200 });

const route = (routeKey: string, more: Partial<WebSocketRoute> = {}): WebSocketRoute => ({
  routeKey,
  integration: { kind: 'function', functionArn: routeKey, timeoutMilliseconds: 29_000 },
  returnsResponse: false,
  ...more,
});
const authorizer = {
  authorizerId: 'tokens',
  functionArn: 'authorizer',
  identitySources: ['route.request.querystring.token'],
};
const mock = { kind: 'mock', status: 200, responses: [/^200$/] } as const;
const guarded = [route('$connect', { integration: mock, authorizer }), route('hello'), route('$disconnect')];

const policy = (Effect: string, Resource: unknown = '*', context?: unknown) =>
  succeed({
    principalId: 'anna',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }],
    },
    ...(context === undefined ? {} : { context }),
  });

/** An API at `/live`, its stage `s`, by default with a route `hello`; and a client of its management API. */
async function anApi(
  options: {
    readonly handle?: Handler;
    readonly routes?: readonly WebSocketRoute[];
    readonly limits?: WebSocketLimits;
    readonly authorize?: (call: AwsCall) => { allowed: true } | { allowed: false; message: string };
  } & Partial<Pick<WebSocketApiDefinition, 'throttle' | 'selectionPath'>> = {},
) {
  const {
    handle = ok,
    routes = [route('hello'), route('$disconnect')],
    limits,
    authorize,
    ...rest
  } = options;
  const invoked: { readonly functionArn: string; readonly event: JsonObject }[] = [];
  const events: HostEvent[] = [];
  const apis = new WebSocketApis({
    ...place,
    invoke: async (functionArn, event) => {
      if (!isJsonObject(event)) throw new Error('The event is no object.');
      invoked.push({ functionArn, event });
      return handle(event, functionArn);
    },
    ...(limits === undefined ? {} : { limits }),
    onEvent: (event) => events.push(event),
  });
  const front = await startMountServer(0);
  const definition = { apiId: 'api1', stageName: 's', selectionPath: ['action'], routes, ...rest };
  front.addMount('/live', (_, response) => response.writeHead(426).end(), apis.serve(definition));
  const endpoint = await startAwsEndpoint({
    port: 0,
    credentials: createCredentialStore(),
    ...(authorize === undefined ? {} : { authorize }),
  });
  endpoint.addRestService(serveConnections(apis, place));
  const management = new ApiGatewayManagementApi({
    region: place.region,
    endpoint: `${endpoint.url}/api1/s`,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  stops.push(() => {
    apis.stop();
    management.destroy();
    return Promise.all([front.stop(), endpoint.stop()]);
  });
  const eventsOf = (functionArn: string): JsonObject[] =>
    invoked.filter((call) => call.functionArn === functionArn).map(({ event }) => event);
  return {
    apis,
    front,
    management,
    invoked,
    events,
    eventsOf,
    url: `${front.url.replace('http', 'ws')}/live`,
  };
}

async function connected(url: string, options: { readonly headers?: Record<string, string> } = {}) {
  const socket = new WebSocket(url, options);
  const frames: string[] = [];
  const closed = once(socket, 'close');
  socket.on('message', (data: Buffer) => frames.push(data.toString('utf8')));
  await once(socket, 'open');
  return {
    socket,
    frames,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    /** The code and the reason of the end, whoever brought it about. */
    closed: async () => {
      const [code, reason] = await closed;
      return [code, String(reason)];
    },
  };
}

async function refusal(url: string, headers: Record<string, string> = {}): Promise<[number, JsonObject]> {
  const [request, response] = await once(new WebSocket(url, { headers }), 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  request.destroy();
  const parsed: unknown = JSON.parse(body);
  return [response.statusCode, isJsonObject(parsed) ? parsed : {}];
}

const context = (event: JsonObject | undefined): JsonObject => objectAt(event ?? {}, 'requestContext');

describe('$connect', () => {
  test('runs before the upgrade completes, and a connection is not there before', async () => {
    const seen: unknown[] = [];
    const api = await anApi({
      routes: [route('$connect')],
      handle: async (event) => {
        const ConnectionId = textAt(context(event), 'connectionId') ?? '';
        const posting = api.management.postToConnection({ ConnectionId, Data: 'early' });
        seen.push(await posting.catch((error: unknown) => (error instanceof Error ? error.name : error)));
        return ok();
      },
    });
    const { frames } = await connected(api.url);
    expect(seen).toEqual(['GoneException']);
    expect(frames).toEqual([]);
  });

  test('gets headers, query and context as AWS sends them', async () => {
    const { url, eventsOf } = await anApi({ routes: [route('$connect')] });
    await connected(`${url}/s?a=1&a=2&b=%20x`, { headers: { 'X-Custom': 'yes', 'user-agent': 'tester' } });
    const [event] = eventsOf('$connect');
    expect(event).toEqual({
      headers: expect.objectContaining({ 'X-Custom': 'yes', 'X-Forwarded-For': '127.0.0.1' }),
      multiValueHeaders: expect.objectContaining({ 'X-Custom': ['yes'] }),
      queryStringParameters: { a: '2', b: ' x' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: [' x'] },
      requestContext: {
        routeKey: '$connect',
        eventType: 'CONNECT',
        messageDirection: 'IN',
        requestId: expect.stringMatching(/=$/),
        extendedRequestId: context(event)['requestId'],
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        requestTimeEpoch: expect.any(Number),
        connectedAt: expect.any(Number),
        connectionId: expect.stringMatching(/^[\w-]{15}=$/),
        apiId: 'api1',
        stage: 's',
        domainName: 'localhost',
        identity: { sourceIp: '127.0.0.1', userAgent: 'tester' },
      },
      isBase64Encoded: false,
    });
  });

  test('takes parameters and headers whose names every object has as members', async () => {
    const { url, eventsOf } = await anApi({ routes: [route('$connect')] });
    await connected(`${url}/s?constructor=1&toString=2&__proto__=3&__proto__=4`, {
      headers: { valueOf: 'yes' },
    });
    const [event] = eventsOf('$connect');
    expect(JSON.parse(JSON.stringify(event))).toMatchObject({
      headers: { valueOf: 'yes' },
      multiValueHeaders: { valueOf: ['yes'] },
    });
    expect(JSON.stringify(event)).toContain(
      '"multiValueQueryStringParameters":{"constructor":["1"],"toString":["2"],"__proto__":["3","4"]}',
    );
  });

  test('without a query has no query parameters', async () => {
    const { url, eventsOf } = await anApi({ routes: [route('$connect')] });
    await connected(url);
    expect(eventsOf('$connect')[0]).not.toHaveProperty('queryStringParameters');
  });

  test.each<[string, () => Invocation, number]>([
    ['403', () => succeed({ statusCode: 403 }), 403],
    ['401', () => succeed({ statusCode: 401 }), 401],
    ['500', () => succeed({ statusCode: 500 }), 500],
    ['a redirect', () => succeed({ statusCode: 302 }), 500],
    ['an error', () => fail('broken'), 500],
    ['nothing', () => succeed(null), 500],
    ['throttled', () => ({ kind: 'throttled' }), 500],
  ])('that answers %s refuses the upgrade', async (_, handle, status) => {
    const { url, apis, eventsOf } = await anApi({
      routes: [route('$connect'), route('$disconnect')],
      handle,
    });
    const [refused, body] = await refusal(url);
    expect(refused).toBe(status);
    expect(body).toEqual({
      message: expect.any(String),
      connectionId: expect.any(String),
      requestId: expect.any(String),
    });
    expect([apis.connectionIds(), eventsOf('$disconnect')]).toEqual([[], []]);
  });

  test('is not needed: without it everybody connects', async () => {
    const { url, invoked } = await anApi();
    await connected(url);
    expect(invoked).toEqual([]);
  });

  test('may be a mock integration, with a status of its own', async () => {
    const { url } = await anApi({ routes: [route('$connect', { integration: mock })] });
    await connected(url);
    const other = await anApi({
      routes: [route('$connect', { integration: { ...mock, status: 403, responses: [/^/] } })],
    });
    expect((await refusal(other.url))[0]).toBe(403);
  });

  test('as a mock integration that no integration response takes, is an error', async () => {
    const { url } = await anApi({
      routes: [route('$connect', { integration: { ...mock, responses: [/^4/] } })],
    });
    expect(await refusal(url)).toEqual([500, expect.objectContaining({ message: 'Internal server error' })]);
  });

  test('chooses the subprotocol', async () => {
    const { url } = await anApi({
      routes: [route('$connect')],
      handle: () => succeed({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'two' } }),
    });
    const socket = new WebSocket(url, ['one', 'two']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('two');
  });

  test('is throttled by the stage', async () => {
    const { url } = await anApi({ throttle: { rateLimit: 0.001, burstLimit: 1 } });
    await connected(url);
    expect((await refusal(url))[0]).toBe(429);
  });

  test('refuses another path and another stage', async () => {
    const { url, front } = await anApi();
    expect((await refusal(`${url}/other`))[0]).toBe(403);
    expect((await refusal(`${url}/s/more`))[0]).toBe(403);
    expect((await fetch(`${front.url}/live`)).status).toBe(426);
    const elsewhere = new WebSocket(`${front.url.replace('http', 'ws')}/nothing`);
    const [request, response] = await once(elsewhere, 'unexpected-response');
    request.destroy();
    expect(response.statusCode).toBe(404);
  });
});

describe('the authorizer', () => {
  test('is asked on $connect only, and its context is on every later event, $disconnect included', async () => {
    const { url, eventsOf } = await anApi({
      routes: guarded,
      handle: (_, functionArn) =>
        functionArn === 'authorizer' ? policy('Allow', '*', { role: 'member', seat: 7, isHost: true }) : ok(),
    });
    const { socket, send } = await connected(`${url}?token=t`);
    send({ action: 'hello' });
    await eventually(() => eventsOf('hello').length === 1);
    socket.close();
    await eventually(() => eventsOf('$disconnect').length === 1);
    const expected = {
      principalId: 'anna',
      role: 'member',
      seat: '7',
      isHost: 'true',
      integrationLatency: expect.any(Number),
    };
    expect(context(eventsOf('hello')[0])['authorizer']).toEqual(expected);
    expect(context(eventsOf('$disconnect')[0])['authorizer']).toEqual(expected);
    expect(eventsOf('authorizer')).toHaveLength(1);
  });

  test('gets the request as AWS sends it', async () => {
    const { url, eventsOf } = await anApi({ routes: guarded, handle: () => policy('Allow') });
    await connected(`${url}?token=t`);
    const [event] = eventsOf('authorizer');
    expect(event).toEqual({
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:us-east-1:000000000000:api1/s/$connect',
      headers: expect.objectContaining({ Upgrade: 'websocket' }),
      multiValueHeaders: expect.objectContaining({ Upgrade: ['websocket'] }),
      queryStringParameters: { token: 't' },
      multiValueQueryStringParameters: { token: ['t'] },
      stageVariables: {},
      requestContext: expect.objectContaining({ eventType: 'CONNECT', routeKey: '$connect', apiId: 'api1' }),
    });
    expect(context(event)).not.toHaveProperty('authorizer');
  });

  test('is not asked where an identity source is missing or empty: 401', async () => {
    const { url, invoked } = await anApi({ routes: guarded });
    const [status, body] = await refusal(url);
    expect([status, body['message']]).toEqual([401, 'Unauthorized']);
    expect((await refusal(`${url}?token=`))[0]).toBe(401);
    expect((await refusal(`${url}?Token=t`))[0]).toBe(401);
    expect(invoked).toEqual([]);
  });

  test('finds an identity source in a header, whatever its case', async () => {
    const byHeader = {
      authorizerId: 'tokens',
      functionArn: 'authorizer',
      identitySources: ['route.request.header.X-Token'],
    };
    const { url } = await anApi({
      routes: [route('$connect', { integration: mock, authorizer: byHeader })],
      handle: () => policy('Allow'),
    });
    await connected(url, { headers: { 'x-TOKEN': 't' } });
  });

  const arn = 'arn:aws:execute-api:us-east-1:000000000000:api1/s/$connect';
  test.each<[string, Invocation, number]>([
    ['an explicit deny', policy('Deny'), 403],
    ['an allow of something else', policy('Allow', `${arn}2`), 403],
    ['an allow of the other case', policy('Allow', arn.toUpperCase()), 403],
    ['no statement', succeed({ principalId: 'x', policyDocument: { Statement: [] } }), 403],
    ['the error "Unauthorized"', fail('Unauthorized'), 401],
    ['another error', fail('broken'), 500],
    ['nothing', succeed(null), 500],
    ['no policy', succeed({ principalId: 'x' }), 500],
    ['no principal', succeed({ policyDocument: { Statement: [] } }), 500],
    ['a context that holds an object', policy('Allow', '*', { user: { name: 'x' } }), 500],
  ])('that answers %s refuses the upgrade', async (_, answer, status) => {
    const { url, eventsOf } = await anApi({ routes: guarded, handle: () => answer });
    expect((await refusal(`${url}?token=t`))[0]).toBe(status);
    expect(eventsOf('$disconnect')).toEqual([]);
  });

  test.each([
    arn,
    'arn:aws:execute-api:*:*:api1/*',
    [`${arn}2`, arn],
    'arn:aws:execute-api:us-east-?:*:api1/s/$connect',
  ])('that allows %j lets in', async (Resource) => {
    const { url } = await anApi({ routes: guarded, handle: () => policy('Allow', Resource) });
    await connected(`${url}?token=t`);
  });
});

describe('a message', () => {
  test('goes to the route that its action names, with an event as AWS sends it', async () => {
    const { url, eventsOf, events } = await anApi();
    const { send, frames, socket } = await connected(url);
    send({ action: 'hello', x: 'é' });
    await eventually(() => eventsOf('hello').length === 1);
    const [event] = eventsOf('hello');
    expect(event).toEqual({
      requestContext: expect.objectContaining({
        routeKey: 'hello',
        eventType: 'MESSAGE',
        messageId: expect.any(String),
        requestId: expect.any(String),
        connectedAt: expect.any(Number),
      }),
      body: '{"action":"hello","x":"é"}',
      isBase64Encoded: false,
    });
    await eventually(() => events.some((told) => told.type === 'web-socket' && told.routeKey === 'hello'));
    socket.close();
    expect(frames).toEqual([]);
  });

  test.each(['not json', '[]', '"hello"', '{"action":7}', '{"action":"$connect"}', '{"action":"other"}', ''])(
    'such as %j goes to $default',
    async (message) => {
      const { url, eventsOf } = await anApi({
        routes: [route('hello'), route('$connect'), route('$default')],
      });
      const { socket } = await connected(url);
      socket.send(message);
      await eventually(() => eventsOf('$default').length === 1);
      expect(eventsOf('$default')[0]?.['body']).toBe(message);
      expect(eventsOf('$connect')).toHaveLength(1);
    },
  );

  test('without a route, and without $default, is answered "Forbidden"', async () => {
    const { url, apis } = await anApi();
    const { send, frames } = await connected(url);
    send({ action: 'other' });
    await eventually(() => frames.length === 1);
    const [connectionId] = apis.connectionIds();
    expect(JSON.parse(frames[0] ?? '')).toEqual({
      message: 'Forbidden',
      connectionId,
      requestId: expect.any(String),
    });
  });

  test('whose function fails is answered "Internal server error", and the connection stays', async () => {
    let broken = true;
    const { url, eventsOf } = await anApi({ handle: () => (broken ? fail('broken') : ok()) });
    const { send, frames } = await connected(url);
    send({ action: 'hello' });
    await eventually(() => frames.length === 1);
    expect(JSON.parse(frames[0] ?? '')).toMatchObject({ message: 'Internal server error' });
    broken = false;
    send({ action: 'hello' });
    await eventually(() => eventsOf('hello').length === 2);
  });

  test('gets what its function answers only where the route has a response', async () => {
    const handle = () => succeed({ statusCode: 200, body: 'answer' });
    const { url, eventsOf } = await anApi({
      routes: [route('hello'), route('ask', { returnsResponse: true })],
      handle,
    });
    const { send, frames } = await connected(url);
    send({ action: 'hello' });
    await eventually(() => eventsOf('hello').length === 1);
    send({ action: 'ask' });
    await eventually(() => frames.length > 0);
    expect(frames).toEqual(['answer']);
  });

  test('is timed out by the integration', async () => {
    const slow = { kind: 'function', functionArn: 'slow', timeoutMilliseconds: 50 } as const;
    const { url } = await anApi({
      routes: [route('hello', { integration: slow })],
      handle: () => new Promise(() => undefined),
    });
    const { send, frames } = await connected(url);
    send({ action: 'hello' });
    await eventually(() => frames.length === 1);
    expect(JSON.parse(frames[0] ?? '')).toMatchObject({ message: 'Endpoint request timed out' });
  });

  test('does not wait for those before it', async () => {
    let release: (() => void) | undefined;
    const { url, eventsOf } = await anApi({
      handle: (event) =>
        textAt(event, 'body')?.includes('slow') === true
          ? new Promise((resolve) => {
              release = () => resolve(ok());
            })
          : ok(),
    });
    const { send } = await connected(url);
    send({ action: 'hello', slow: true });
    send({ action: 'hello' });
    await eventually(() => eventsOf('hello').length === 2);
    release?.();
  });

  test('is selected by another expression, too', async () => {
    const { url, eventsOf } = await anApi({ selectionPath: ['header', 'type'] });
    const { send } = await connected(url);
    send({ header: { type: 'hello' } });
    await eventually(() => eventsOf('hello').length === 1);
  });
});

describe('limits', () => {
  const text = (bytes: number): string => `{"action":"hello","x":"${'x'.repeat(bytes - 25)}"}`;

  test('a frame of 32 KB passes, and a message of 128 KB in such frames', async () => {
    const { url, eventsOf } = await anApi();
    const { socket } = await connected(url);
    socket.send(text(32 * 1024));
    const message = text(128 * 1024);
    for (let start = 0; start < message.length; start += 32 * 1024) {
      const fin = start + 32 * 1024 >= message.length;
      socket.send(message.slice(start, start + 32 * 1024), { fin });
    }
    await eventually(() => eventsOf('hello').length === 2);
    expect(eventsOf('hello')[1]?.['body']).toBe(message);
  });

  test('a larger frame closes the connection with 1009, unread', async () => {
    const { url, eventsOf } = await anApi();
    const { socket, closed } = await connected(url);
    socket.send(text(32 * 1024 + 1));
    expect((await closed())[0]).toBe(1009);
    await eventually(() => eventsOf('$disconnect').length === 1);
    expect(eventsOf('hello')).toEqual([]);
    expect(context(eventsOf('$disconnect')[0])['disconnectStatusCode']).toBe(1009);
  });

  test('a larger message closes the connection with 1009, however it is split', async () => {
    const { url, eventsOf } = await anApi();
    const { socket, closed } = await connected(url);
    for (let frame = 0; frame < 5; frame += 1) socket.send('x'.repeat(30_000), { fin: frame === 4 });
    expect((await closed())[0]).toBe(1009);
    expect(eventsOf('hello')).toEqual([]);
  });

  test('a binary frame closes the connection with 1003', async () => {
    const { url, invoked } = await anApi({ routes: [route('$default')] });
    const { socket, closed } = await connected(url);
    socket.send(Buffer.from('{}'));
    expect((await closed())[0]).toBe(1003);
    expect(invoked).toEqual([]);
  });

  test('a connection without messages closes with 1001; one with messages stays', async () => {
    const { url } = await anApi({ limits: { idleSeconds: 1 } });
    const idle = await connected(url);
    const busy = await connected(url);
    const busyEnded = busy.closed().then(() => Date.now());
    const timer = setInterval(() => busy.send({ action: 'hello' }), 50);
    expect((await idle.closed())[0]).toBe(1001);
    const idleEnded = Date.now();
    setTimeout(() => clearInterval(timer), 300);
    expect(await busyEnded).toBeGreaterThan(idleEnded + 300);
  });

  test('every connection closes with 1001 in the end, busy or not', async () => {
    const { url, eventsOf } = await anApi({ limits: { lifetimeSeconds: 1 } });
    const { send, closed } = await connected(url);
    const timer = setInterval(() => send({ action: 'hello' }), 50);
    expect((await closed())[0]).toBe(1001);
    clearInterval(timer);
    expect(eventsOf('hello').length).toBeGreaterThan(1);
  });
});

describe('$disconnect', () => {
  test('is called once, with the code and the reason, when the client goes', async () => {
    const { url, eventsOf, apis } = await anApi();
    const { socket } = await connected(url);
    socket.close(4001, 'had enough');
    await eventually(() => eventsOf('$disconnect').length === 1);
    const [event] = eventsOf('$disconnect');
    expect(context(event)).toMatchObject({
      routeKey: '$disconnect',
      eventType: 'DISCONNECT',
      disconnectStatusCode: 4001,
      disconnectReason: 'had enough',
    });
    expect(event).not.toHaveProperty('body');
    expect(apis.connectionIds()).toEqual([]);
  });

  test('is called when the line is cut', async () => {
    const { url, eventsOf } = await anApi();
    (await connected(url)).socket.terminate();
    await eventually(() => eventsOf('$disconnect').length === 1);
  });

  test('is not called for a connection that is lost, as best effort means', async () => {
    const { url, eventsOf, apis } = await anApi();
    const { closed } = await connected(url);
    const { closed: otherClosed, socket: other } = await connected(url);
    const lost = apis.connectionIds()[0];
    expect(apis.lose((connectionId) => connectionId === lost)).toBe(1);
    await closed();
    other.close();
    await otherClosed();
    await eventually(() => eventsOf('$disconnect').length === 1);
    expect(context(eventsOf('$disconnect')[0])['connectionId']).not.toBe(lost);
  });

  test('that fails harms nobody', async () => {
    const { url, eventsOf } = await anApi({ handle: () => fail('broken') });
    (await connected(url)).socket.close();
    await eventually(() => eventsOf('$disconnect').length === 1);
    await connected(url);
  });
});

describe('@connections', () => {
  const idOf = ({ apis }: Awaited<ReturnType<typeof anApi>>): string => apis.connectionIds()[0] ?? '';
  const nameOf = async (sending: Promise<unknown>): Promise<unknown> =>
    sending.then(
      () => 'no error',
      (error: unknown) => (error instanceof Error ? error.name : error),
    );

  test('answers 429 for a client that does not read, at once, and goes on when it reads', async () => {
    const api = await anApi();
    const slow = await connected(api.url);
    const [ConnectionId = ''] = api.apis.connectionIds();
    const reading = await connected(api.url);
    const [, other = ''] = api.apis.connectionIds();
    slow.socket.pause();
    const Data = 'x'.repeat(128 * 1024);
    const post = async (id: string): Promise<unknown> =>
      nameOf(api.management.postToConnection({ ConnectionId: id, Data }));
    let sent = 0;
    while ((await post(ConnectionId)) === 'no error') sent += 1;
    // What the system takes of it, and what waits here.
    expect(sent).toBeGreaterThan(7);
    expect(sent).toBeLessThan(500);
    expect(await post(ConnectionId)).toBe('LimitExceededException');
    expect(await post(other)).toBe('no error');
    await eventually(() => reading.frames.length === 1);
    slow.socket.resume();
    await eventually(() => slow.frames.length === sent);
    expect(await post(ConnectionId)).toBe('no error');
    await eventually(() => slow.frames.length === sent + 1);
  });

  test('POST sends a frame of text, in the order of the calls', async () => {
    const api = await anApi();
    const { frames } = await connected(api.url);
    const ConnectionId = idOf(api);
    for (const Data of ['one', 'zwölf', '{"three":3}']) {
      await api.management.postToConnection({ ConnectionId, Data });
    }
    await eventually(() => frames.length === 3);
    expect(frames).toEqual(['one', 'zwölf', '{"three":3}']);
  });

  test('GET tells of the connection', async () => {
    const api = await anApi();
    await connected(api.url, { headers: { 'user-agent': 'tester' } });
    const { ConnectedAt, Identity, LastActiveAt } = await api.management.getConnection({
      ConnectionId: idOf(api),
    });
    expect(Identity).toEqual({ SourceIp: '127.0.0.1', UserAgent: 'tester' });
    expect(LastActiveAt?.getTime()).toBeGreaterThanOrEqual(ConnectedAt?.getTime() ?? Infinity);
  });

  test('DELETE closes it, and $disconnect is called', async () => {
    const api = await anApi();
    const { closed } = await connected(api.url);
    await api.management.deleteConnection({ ConnectionId: idOf(api) });
    expect((await closed())[0]).toBe(1000);
    await eventually(() => api.eventsOf('$disconnect').length === 1);
  });

  test('of a connection that is closed is GoneException', async () => {
    const api = await anApi();
    const { socket } = await connected(api.url);
    const ConnectionId = idOf(api);
    socket.close();
    await eventually(() => api.apis.connectionIds().length === 0);
    const { management } = api;
    expect([
      await nameOf(management.postToConnection({ ConnectionId, Data: 'x' })),
      await nameOf(management.getConnection({ ConnectionId })),
      await nameOf(management.deleteConnection({ ConnectionId })),
      await nameOf(management.postToConnection({ ConnectionId: 'unknown=', Data: 'x' })),
    ]).toEqual(Array.from({ length: 4 }, () => 'GoneException'));
  });

  test('takes 128 KB and no more', async () => {
    const api = await anApi();
    const { frames } = await connected(api.url);
    const ConnectionId = idOf(api);
    const post = (bytes: number): Promise<unknown> =>
      nameOf(api.management.postToConnection({ ConnectionId, Data: 'x'.repeat(bytes) }));
    expect(await post(128 * 1024)).toBe('no error');
    expect(await post(128 * 1024 + 1)).toBe('PayloadTooLargeException');
    await eventually(() => frames.length === 1);
  });

  test('refuses an id that can be none', async () => {
    const api = await anApi();
    const posting = api.management.postToConnection({ ConnectionId: 'a b', Data: 'x' });
    expect(await nameOf(posting)).toBe('BadRequestException');
  });

  test('asks whether the caller may, by action and ARN', async () => {
    const calls: AwsCall[] = [];
    const api = await anApi({
      authorize: (call) => {
        calls.push(call);
        return { allowed: false, message: 'no' };
      },
    });
    const { frames } = await connected(api.url);
    const ConnectionId = idOf(api);
    const posting = api.management.postToConnection({ ConnectionId, Data: 'x' });
    expect(await nameOf(posting)).toBe('AccessDeniedException');
    expect(calls).toMatchObject([
      {
        service: 'execute-api',
        action: 'ManageConnections',
        resourceArn: `arn:aws:execute-api:us-east-1:000000000000:api1/s/POST/@connections/${ConnectionId}`,
      },
    ]);
    expect(frames).toEqual([]);
  });
});

test('a client that leaves while $connect runs is disconnected, and the host lives on', async () => {
  let release: (() => void) | undefined;
  const { url, eventsOf, apis, front } = await anApi({
    routes: [route('$connect'), route('$disconnect')],
    handle: (_, functionArn) =>
      functionArn === '$connect' && release === undefined
        ? new Promise((resolve) => {
            release = () => resolve(ok());
          })
        : ok(),
  });
  const { port } = new URL(front.url);
  const socket = connect(Number(port), 'localhost');
  socket.write(
    'GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await eventually(() => release !== undefined);
  socket.resetAndDestroy();
  await pause(50);
  release?.();
  await eventually(() => eventsOf('$disconnect').length === 1);
  expect(apis.connectionIds()).toEqual([]);
  await connected(url);
});

test('an upgrade that is no WebSocket is refused', async () => {
  const { front } = await anApi();
  const { port } = new URL(front.url);
  const socket = connect(Number(port), 'localhost');
  socket.end('GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});
