import { afterEach, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { HostEvent } from '../../../local/services.ts';
import type { Invocation } from '../../../local/lambda/index.ts';
import {
  createHttpApis,
  type HttpApiDefinition,
  type HttpApiRoute,
} from '../../../local/api-gateway/http-api.ts';
import { compileRoutes, parseTarget } from '../../../local/api-gateway/http-route.ts';
import { startMountServer } from '../../../local/http/server.ts';
import type { MountServer } from '../../../local/http/server.ts';
import { createUserPool } from '../../../local/cognito/user-pool.ts';
import { eventually } from '../../eventually.ts';

const fronts: MountServer[] = [];
afterEach(async () => {
  await Promise.all(fronts.splice(0).map(async (front) => front.stop()));
});

type Handler = (event: unknown, functionArn: string) => Promise<Invocation> | Invocation;

const succeed = (payload: unknown): Invocation => ({ kind: 'success', payload });
const route = (routeKey: string, overrides: Partial<HttpApiRoute> = {}): HttpApiRoute => ({
  routeKey,
  functionArn: `arn:${routeKey}`,
  timeoutMilliseconds: 30_000,
  scopes: [],
  ...overrides,
});

/** An API at `/shop` whose functions are `handle`; by default they answer with the event itself. */
async function anApi(
  handle: Handler = (event) => succeed({ event }),
  overrides: Partial<HttpApiDefinition> = {},
) {
  const events: HostEvent[] = [];
  const invoked: string[] = [];
  const front = await startMountServer(0);
  const serve = createHttpApis({
    invoke: async (functionArn, event) => {
      invoked.push(functionArn);
      return handle(event, functionArn);
    },
    keysOf: () => createLocalJWKSet({ keys: [] }),
    accountId: '000000000000',
    onEvent: (event) => events.push(event),
  });
  fronts.push(front);
  const definition = {
    apiId: 'api1',
    stageName: '$default',
    routeThrottles: {},
    routes: [route('$default')],
    ...overrides,
  };
  front.addMount('/shop', serve(definition));
  return { front, events, invoked, url: `${front.url}/shop` };
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Like fetch, but sends the path and the headers exactly as they are given. */
async function send(
  url: string,
  path: string,
  options: { method?: string; headers?: readonly string[]; body?: string | Buffer } = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const { method = 'GET', headers = [], body } = options;
  const hasBody = body !== undefined;
  const length = hasBody ? ['content-length', String(Buffer.byteLength(body))] : [];
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, path, method, headers: ['host', 'localhost', ...length, ...headers], agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function eventOf(
  path: string,
  options: Parameters<typeof send>[2] = {},
  overrides: Partial<HttpApiDefinition> = {},
): Promise<unknown> {
  const { url } = await anApi(undefined, overrides);
  const { text } = await send(url, path, options);
  return Object(JSON.parse(text)).event;
}

async function replyTo(invocation: Invocation | (() => Promise<Invocation>)): Promise<Reply> {
  const { url } = await anApi(async () => (typeof invocation === 'function' ? invocation() : invocation));
  return send(url, '/shop');
}

describe('the event of payload format 2.0', () => {
  test('has exactly the fields of a request without query, cookies and body', async () => {
    const event = await eventOf('/shop/items', { headers: ['user-agent', 'test/1'] });
    expect(event).toStrictEqual({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/items',
      rawQueryString: '',
      headers: {
        host: 'localhost',
        'user-agent': 'test/1',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-port': expect.stringMatching(/^\d+$/),
        'x-forwarded-proto': 'http',
      },
      requestContext: {
        accountId: '000000000000',
        apiId: 'api1',
        domainName: 'localhost',
        domainPrefix: 'localhost',
        http: {
          method: 'GET',
          path: '/items',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test/1',
        },
        requestId: expect.stringMatching(/^.{15}=$/),
        routeKey: '$default',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      isBase64Encoded: false,
    });
  });

  test('names headers in lower case, joins duplicates by comma, and keeps cookies apart', async () => {
    const headers = ['X-Twice', 'a', 'x-twice', 'b', 'Cookie', 'one=1; two=2'];
    const event = await eventOf('/shop', { headers });
    expect(event).toMatchObject({
      rawPath: '/',
      headers: { 'x-twice': 'a,b' },
      cookies: ['one=1', 'two=2'],
    });
    expect(event).not.toHaveProperty('headers.cookie');
  });

  test('has headers whose names every object has as members', async () => {
    const headers = ['Constructor', 'a', '__proto__', 'b', 'valueOf', 'c', 'valueof', 'd'];
    const { headers: found } = (await eventOf('/shop', { headers })) as { headers: Record<string, string> };
    const named = ['constructor', '__proto__', 'valueof'].map(
      (name) => Object.entries(found).find(([key]) => key === name)?.[1],
    );
    expect(named).toEqual(['a', 'b', 'c,d']);
  });

  test('decodes query parameters, joins duplicates by comma, and keeps the raw query string', async () => {
    await expect(eventOf('/shop/x?a=1&a=2&b=%C3%BC+x&empty')).resolves.toMatchObject({
      rawQueryString: 'a=1&a=2&b=%C3%BC+x&empty',
      queryStringParameters: { a: '1,2', b: 'ü x', empty: '' },
    });
  });

  test('decodes the path and its parameters', async () => {
    const routes = [route('GET /items/{id}/{rest+}')];
    await expect(eventOf('/shop/items/a%20b/c%2Fd/%C3%BC', {}, { routes })).resolves.toMatchObject({
      rawPath: '/items/a b/c/d/ü',
      pathParameters: { id: 'a b', rest: 'c/d/ü' },
      routeKey: 'GET /items/{id}/{rest+}',
    });
  });

  test('has the stage in its path unless that is $default', async () => {
    const { url } = await anApi(undefined, { stageName: 'live', routes: [route('GET /items')] });
    const { text } = await send(url, '/shop/live/items');
    expect(JSON.parse(text)).toMatchObject({ event: { rawPath: '/live/items', routeKey: 'GET /items' } });
    await expect(send(url, '/shop/items')).resolves.toMatchObject({ status: 404 });
  });

  test.each([
    ['application/json', '{"ü":1}', '{"ü":1}', false],
    ['application/problem+json; charset=utf-8', '{}', '{}', false],
    ['TEXT/csv', 'a,b', 'a,b', false],
    ['application/xml', '<a/>', '<a/>', false],
    [undefined, 'plain', 'plain', false],
    ['application/x-www-form-urlencoded', 'a=1', 'YT0x', true],
    ['application/octet-stream', Buffer.from([0, 255]), 'AP8=', true],
    ['image/svg+xml', '<svg/>', 'PHN2Zy8+', true],
  ])('with the content type %s', async (contentType, body, expected, isBase64Encoded) => {
    const headers = contentType === undefined ? [] : ['content-type', contentType];
    const event = await eventOf('/shop', { method: 'POST', headers, body });
    expect(event).toMatchObject({ body: expected, isBase64Encoded });
  });
});

function parsedPath(target: string): string {
  const parsed = parseTarget(target, '$default');
  return parsed.kind === 'path' ? parsed.path : parsed.kind;
}

describe('routes', () => {
  const choose = compileRoutes(
    [
      '$default',
      'GET /pets/{proxy+}',
      'GET /pets/{id}',
      'ANY /pets/dog',
      'GET /pets/dog',
      'GET /pets/{id}/toys',
      'POST /{any+}',
      'GET /',
    ].map((routeKey) => ({ routeKey })),
  );

  test.each([
    ['GET', '/pets/dog', 'GET /pets/dog'],
    ['PUT', '/pets/dog', 'ANY /pets/dog'],
    ['GET', '/pets/cat', 'GET /pets/{id}'],
    ['GET', '/pets/cat/toys', 'GET /pets/{id}/toys'],
    ['GET', '/pets/cat/food', 'GET /pets/{proxy+}'],
    ['POST', '/pets/cat', 'POST /{any+}'],
    ['GET', '/', 'GET /'],
    ['GET', '/pets', '$default'],
    ['GET', '/pets/', '$default'],
    ['HEAD', '/pets/cat', '$default'],
    ['GET', '/Pets/dog', '$default'],
    // What was %2F when it came: HTTP APIs decode the path before they choose a route.
    ['GET', parsedPath('/pets%2Fdog'), 'GET /pets/dog'],
    ['GET', parsedPath('/pets/cat%2Ftoys'), 'GET /pets/{id}/toys'],
    ['GET', parsedPath('/pets/cat%252Ftoys'), 'GET /pets/{id}'],
  ])('%s %s goes to %s', (method, path, expected) => {
    expect(choose(method, path)?.route.routeKey).toBe(expected);
  });

  test('without a match are answered by the gateway', async () => {
    const { url, invoked, events } = await anApi(undefined, { routes: [route('GET /items')] });
    const reply = await send(url, '/shop/other');
    expect(reply).toMatchObject({ status: 404, text: '{"message":"Not Found"}' });
    expect(reply.headers['apigw-requestid']).toMatch(/^.{15}=$/);
    expect(invoked).toStrictEqual([]);
    expect(events).toMatchObject([{ type: 'http', path: '/other', routeKey: undefined, status: 404 }]);
  });

  test('of another prefix belong to nobody', async () => {
    const { url } = await anApi();
    await expect(send(url, '/shopping')).resolves.toMatchObject({ status: 404 });
    await expect(send(url, '/')).resolves.toMatchObject({ status: 404 });
  });

  test('with a malformed key are refused at the start', () => {
    expect(() => compileRoutes([{ routeKey: 'get items' }])).toThrow('get items');
  });
});

describe('the response', () => {
  test('without a status code is 200 and the whole value as JSON', async () => {
    const reply = await replyTo(succeed({ items: [1] }));
    expect(reply).toMatchObject({ status: 200, text: '{"items":[1]}' });
    expect(reply.headers['content-type']).toBe('application/json');
    await expect(replyTo(succeed('text'))).resolves.toMatchObject({ status: 200, text: 'text' });
    await expect(replyTo(succeed(null))).resolves.toMatchObject({ status: 200, text: 'null' });
  });

  test('has the status, headers, cookies and body that the function gave', async () => {
    const reply = await replyTo(
      succeed({
        statusCode: 201,
        headers: { Location: '/items/1', 'X-Count': 3, 'Content-Length': '999' },
        cookies: ['a=1; Secure', 'b=2'],
        body: 'grün',
      }),
    );
    expect(reply).toMatchObject({
      status: 201,
      text: 'grün',
      headers: {
        location: '/items/1',
        'x-count': '3',
        'content-type': 'text/plain;charset=UTF-8',
        'content-length': '5',
        'set-cookie': ['a=1; Secure', 'b=2'],
        'apigw-requestid': expect.any(String),
      },
    });
  });

  test('may be encoded in base64', async () => {
    const payload = {
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from('decoded').toString('base64'),
    };
    await expect(replyTo(succeed(payload))).resolves.toMatchObject({ text: 'decoded' });
  });

  test('of status 204 has no body and no content type', async () => {
    const reply = await replyTo(succeed({ statusCode: 204 }));
    expect(reply).toMatchObject({ status: 204, text: '' });
    expect(reply.headers).not.toHaveProperty('content-type');
  });

  test('to HEAD has no body', async () => {
    const { url } = await anApi(() => succeed({ statusCode: 200, body: 'hidden' }));
    await expect(send(url, '/shop', { method: 'HEAD' })).resolves.toMatchObject({ status: 200, text: '' });
  });

  test.each([
    [{ statusCode: 'many' }],
    [{ statusCode: 99 }],
    [{ statusCode: 1000 }],
    [{ statusCode: 200, body: { not: 'text' } }],
    [{ statusCode: 200, headers: ['a'] }],
    [{ statusCode: 200, headers: { a: {} } }],
    [{ statusCode: 200, headers: { 'bad name': 'x' } }],
    [{ statusCode: 200, headers: { split: 'a\r\nb: c' } }],
    [{ statusCode: 200, cookies: 'a=1' }],
  ])('that is unreadable (%j) is 500', async (payload) => {
    await expect(replyTo(succeed(payload))).resolves.toMatchObject({
      status: 500,
      text: '{"message":"Internal Server Error"}',
    });
  });

  test('to a function error is 500, to a throttle 503', async () => {
    const error: Invocation = { kind: 'error', errorType: 'Error', errorMessage: 'secret detail' };
    await expect(replyTo(error)).resolves.toMatchObject({
      status: 500,
      text: '{"message":"Internal Server Error"}',
    });
    await expect(replyTo({ kind: 'throttled' })).resolves.toMatchObject({
      status: 503,
      text: '{"message":"Service Unavailable"}',
    });
    await expect(replyTo(() => Promise.reject(new Error('no such function')))).resolves.toMatchObject({
      status: 500,
    });
  });

  test('that comes after the integration timeout is 503', async () => {
    const { url } = await anApi(async () => new Promise<Invocation>(() => {}), {
      routes: [route('$default', { timeoutMilliseconds: 50 })],
    });
    await expect(send(url, '/shop')).resolves.toMatchObject({
      status: 503,
      text: '{"message":"Service Unavailable"}',
    });
  });
});

describe('limits', () => {
  test('a body over 10 MB is 413 and never reaches the function', async () => {
    const { url, invoked } = await anApi(() => succeed('fits'));
    const most = Buffer.alloc(10 * 1024 * 1024);
    await expect(send(url, '/shop', { method: 'POST', body: most })).resolves.toMatchObject({ status: 200 });
    const body = Buffer.alloc(most.length + 1);
    await expect(send(url, '/shop', { method: 'POST', body })).resolves.toMatchObject({ status: 413 });
    expect(invoked).toHaveLength(1);
  });

  test('headers over 10,240 bytes are 431', async () => {
    const { url, invoked } = await anApi(() => succeed('fits'));
    const reply = async (bytes: number) => send(url, '/shop', { headers: ['x-long', 'x'.repeat(bytes)] });
    await expect(reply(10_000)).resolves.toMatchObject({ status: 200 });
    await expect(reply(10_300)).resolves.toMatchObject({ status: 431 });
    await expect(reply(70_000)).resolves.toMatchObject({ status: 431 });
    expect(invoked).toHaveLength(1);
  });

  test("beyond the stage's burst it is 429; a route may have limits of its own", async () => {
    const { url, invoked } = await anApi(() => succeed('fine'), {
      routes: [route('GET /a'), route('GET /b')],
      throttle: { rateLimit: 0.001, burstLimit: 2 },
      routeThrottles: { 'GET /b': { rateLimit: 0.001, burstLimit: 1 } },
    });
    const statuses = async (path: string) => {
      const replies = await Promise.all([1, 2, 3].map(async () => send(url, path)));
      expect(replies.find(({ status }) => status === 429)?.text).toBe('{"message":"Too Many Requests"}');
      return replies.map(({ status }) => status).toSorted((left, right) => left - right);
    };
    await expect(statuses('/shop/a')).resolves.toStrictEqual([200, 200, 429]);
    await expect(statuses('/shop/b')).resolves.toStrictEqual([200, 429, 429]);
    expect(invoked).toHaveLength(3);
  });
});

describe('strange requests', () => {
  test.each(['/shop/%', '/shop/%zz', '/shop/%ff'])('%s is 400', async (path) => {
    const { url } = await anApi();
    await expect(send(url, path)).resolves.toMatchObject({ status: 400 });
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a bad header', 'GET /shop HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'the absolute form',
      'GET http://x/shop HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 200 /,
    ],
    [
      'two hosts',
      'GET /shop HTTP/1.1\r\nhost: x\r\nHost: y\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', /^HTTP\/1\.1 404 /],
  ])('%s is answered, and the front lives on', async (_name, text, expected) => {
    const { url } = await anApi();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.write(text);
    await once(socket, 'close');
    expect(received).toMatch(expected);
    await expect(send(url, '/shop')).resolves.toMatchObject({ status: 200 });
  });

  test('a client that leaves in the middle of its body invokes nothing', async () => {
    const { url, invoked } = await anApi();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    await new Promise((resolve) => {
      socket.write('POST /shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf', resolve);
    });
    socket.destroy();
    await once(socket, 'close');
    await expect(send(url, '/shop')).resolves.toMatchObject({ status: 200 });
    expect(invoked).toHaveLength(1);
  });
});

describe('a request that offers another protocol', () => {
  const offer = 'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n';

  test('is answered as if it did not, and so is the next one on its connection', async () => {
    const { url } = await anApi();
    const { socket, replies } = rawClient(url);
    socket.write(`GET /shop/a?x=1 HTTP/1.1\r\nhost: x\r\n${offer}x-custom: Ümlaut\r\n\r\n`, 'latin1');
    await eventually(() => replies().length === 1);
    socket.write(`POST /shop/b HTTP/1.1\r\nhost: x\r\n${offer}content-length: 4\r\n\r\nbo`);
    // The rest of the body comes after the server has seen the offer.
    await wait(20);
    socket.write('dy');
    await eventually(() => replies().length === 2);
    socket.write('GET /shop/c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await eventually(() => replies().length === 3);
    const [first, second, third] = replies();
    expect(first).toMatchObject({ rawPath: '/a', rawQueryString: 'x=1' });
    expect(Object(first).headers).toEqual({
      ...Object(first).headers,
      'x-custom': 'Ümlaut',
      upgrade: undefined,
      connection: undefined,
      'http2-settings': undefined,
    });
    expect([second, third]).toMatchObject([{ rawPath: '/b', body: 'body' }, { rawPath: '/c' }]);
  });

  test('reaches the routes of the gateway, too', async () => {
    const { url } = await anApi(undefined, { routes: [route('GET /items')] });
    const headers = ['connection', 'upgrade', 'upgrade', 'websocket'];
    await expect(send(url, '/shop/items', { headers })).resolves.toMatchObject({ status: 200 });
    await expect(send(url, '/shop/other', { headers })).resolves.toMatchObject({ status: 404 });
    await expect(send(url, '/elsewhere', { headers })).resolves.toMatchObject({ status: 404 });
  });

  test('is not taken for a WebSocket where a WebSocket is served', async () => {
    const { front } = await anApi();
    front.addMount(
      '/live',
      (_, response) => response.writeHead(426).end(),
      (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    );
    const status = (upgrade: string): Promise<unknown> =>
      new Promise((resolve) => {
        const headers = { connection: 'upgrade', upgrade };
        const request = httpRequest(`${front.url}/live`, { headers, agent: false });
        request.on('response', (response) => resolve(response.resume().statusCode));
        request.on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode);
        });
        request.end();
      });
    expect([await status('h2c'), await status('WebSocket')]).toEqual([426, 101]);
  });
});

describe('a request that does not end', () => {
  test.each([
    ['nothing', ''],
    ['half a head', 'GET /shop HTTP/1.1\r\nhost: x\r\n'],
    ['half a body', 'POST /shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf'],
    [
      'half a body, and an offer of another protocol',
      'POST /shop HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 100\r\n\r\nhalf',
    ],
  ])('but is %s, is answered 408 and closed in time', async (_, text) => {
    const server = await startMountServer(0, {
      headMilliseconds: 200,
      requestMilliseconds: 400,
    });
    server.addMount('/shop', (request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(200).end());
    });
    try {
      const { socket, text: received } = rawClient(server.url);
      socket.write(text);
      await once(socket, 'close');
      expect(received()).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      await server.stop();
    }
  });
});

function rawClient(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  return {
    socket,
    text: () => received,
    replies: () =>
      received
        .split(/HTTP\/1\.1 200 OK\r\n/)
        .slice(1)
        .flatMap((reply): unknown[] => {
          try {
            return [Object(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).event];
          } catch {
            return [];
          }
        }),
  };
}

describe('a route with a JWT authorizer', () => {
  const issuer = 'https://issuer.example';

  async function aGuardedApi() {
    const pool = await createUserPool({ userPoolId: 'us-east-1_test', issuer });
    const front = await startMountServer(0);
    const serve = createHttpApis({
      invoke: async (_functionArn, event) => succeed({ event }),
      keysOf: () => pool.keys(),
      accountId: '000000000000',
      onEvent: () => {},
    });
    fronts.push(front);
    const authorizer = { issuer, audience: ['gateway'] };
    front.addMount(
      '/shop',
      serve({
        apiId: 'api1',
        stageName: '$default',
        routeThrottles: {},
        routes: [
          route('GET /any', { authorizer }),
          route('GET /scoped', { authorizer, scopes: ['cards/write'] }),
        ],
      }),
    );
    const sign = async (claims: Record<string, unknown> = {}) => {
      const seconds = Math.floor(Date.now() / 1000);
      const token = await pool.signForTest({
        iss: issuer,
        client_id: 'gateway',
        scope: 'cards/write',
        iat: seconds,
        exp: seconds + 60,
        ...claims,
      });
      return ['Authorization', `Bearer ${token}`];
    };
    return { front, sign };
  }

  test('is 401 without a valid token, and says why in www-authenticate', async () => {
    const { front, sign } = await aGuardedApi();
    const reply = await send(front.url, '/shop/scoped');
    expect(reply).toMatchObject({ status: 401, text: '{"message":"Unauthorized"}' });
    expect(reply.headers['www-authenticate']).toBe('Bearer');
    const forged = await send(front.url, '/shop/scoped', { headers: await sign({ client_id: 'x' }) });
    expect(forged).toMatchObject({ status: 401 });
    expect(forged.headers['www-authenticate']).toContain('the token does not have a valid audience');
  });

  test('is 403 without the scope', async () => {
    const { front, sign } = await aGuardedApi();
    const headers = await sign({ scope: 'cards/read' });
    await expect(send(front.url, '/shop/scoped', { headers })).resolves.toMatchObject({
      status: 403,
      text: '{"message":"Forbidden"}',
    });
    await expect(send(front.url, '/shop/any', { headers })).resolves.toMatchObject({ status: 200 });
  });

  test("hands on the claims as text and the route's scopes, or null", async () => {
    const { front, sign } = await aGuardedApi();
    const headers = await sign();
    const authorizerOf = async (path: string): Promise<unknown> => {
      const { text } = await send(front.url, path, { headers });
      return Object(JSON.parse(text)).event.requestContext.authorizer;
    };
    await expect(authorizerOf('/shop/scoped')).resolves.toStrictEqual({
      jwt: {
        claims: {
          iss: issuer,
          client_id: 'gateway',
          scope: 'cards/write',
          iat: expect.stringMatching(/^\d+$/),
          exp: expect.stringMatching(/^\d+$/),
        },
        scopes: ['cards/write'],
      },
    });
    await expect(authorizerOf('/shop/any')).resolves.toMatchObject({ jwt: { scopes: null } });
  });
});

test('a taken port is told by its code, so that the caller can say what to change', async () => {
  const { front } = await anApi();
  const taken = startMountServer(Number(new URL(front.url).port));
  await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
