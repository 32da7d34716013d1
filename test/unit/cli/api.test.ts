import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAccessTokens } from '../../../cli/shared/tokens.ts';
import { createCallApi, describeRefusal, type ApiResponse, type CallApi } from '../../../cli/shared/api.ts';
import { createHttpClient } from '../../../cli/shared/http.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()));
});

/** A server that issues tokens `t1`, `t2`, … and answers everything else as the test says, one answer after the other. */
async function serve(
  ...answers: Answer[]
): Promise<{ url: string; tokens: () => number; requests: string[] }> {
  let issued = 0;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/token') {
      issued += 1;
      response.end(JSON.stringify({ access_token: `t${issued}`, expires_in: 100 }));
      return;
    }
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    (answers.shift() ?? json(200, {}))(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const { port } = server.address() as AddressInfo;
  return { url: `http://localhost:${port}`, tokens: () => issued, requests };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (_, response) => response.writeHead(status, headers).end(JSON.stringify(body));
}

async function credentials(): Promise<{ clientId: string; clientSecret: string }> {
  return { clientId: 'id', clientSecret: 'secret' };
}

function connect(url: string, now: () => number = Date.now): CallApi {
  const http = createHttpClient({ connections: 4 });
  closing.push(() => http.close());
  const tokens = createAccessTokens({ http, tokenUrl: `${url}/token`, credentials, now });
  return createCallApi({ http, apiUrl: url, tokens, retries: { attempts: 4, longestPauseMilliseconds: 2 } });
}

const request = { method: 'GET', path: '/x' } as const;

describe('a call to the API', () => {
  it('is repeated after 429, 5xx and a broken connection', async () => {
    const { url, requests } = await serve(
      json(429, { message: 'Too Many Requests' }),
      json(503, {}),
      ({ socket }) => socket.destroy(),
      json(201, { fine: true }),
    );
    expect(await connect(url)(request)).toMatchObject({ status: 201, body: { fine: true } });
    expect(requests).toHaveLength(4);
  });

  it('is given up after a number of attempts, with the last answer, or saying that nobody answers', async () => {
    const { url } = await serve(...Array.from({ length: 9 }, () => json(503, { message: 'no' })));
    expect(await connect(url)(request)).toMatchObject({ status: 503 });
    const dead = await serve(
      ...Array.from(
        { length: 9 },
        (): Answer =>
          ({ socket }) =>
            socket.destroy(),
      ),
    );
    await expect(connect(dead.url)(request)).rejects.toThrow(/does not answer/);
  });

  it('is not repeated after a refusal', async () => {
    const { url, requests } = await serve(json(422, {}));
    expect(await connect(url)(request)).toMatchObject({ status: 422 });
    expect(requests).toHaveLength(1);
  });

  it('shares one token between all calls, and renews it before it expires', async () => {
    let now = 0;
    const { url, tokens } = await serve();
    const call = connect(url, () => now);
    await Promise.all([call(request), call(request), call(request)]);
    expect(tokens()).toBe(1);
    now = 89_000;
    await call(request);
    expect(tokens()).toBe(1);
    now = 91_000;
    await Promise.all([call(request), call(request)]);
    expect(tokens()).toBe(2);
  });

  it('gets a new token, once, when the API refuses the one it has', async () => {
    const refused = json(401, { message: 'Unauthorized' });
    const { url, requests } = await serve(refused, json(200, {}), refused, refused);
    const call = connect(url);
    expect(await call(request)).toMatchObject({ status: 200 });
    expect(requests).toEqual(['GET /x Bearer t1', 'GET /x Bearer t2']);
    expect(await call(request)).toMatchObject({ status: 401 });
  });

  it('whose token cannot be had says so', async () => {
    const call = connect('http://localhost:1');
    await expect(call(request)).rejects.toMatchObject({
      name: 'CommandError',
      message: expect.stringContaining('http://localhost:1/token does not answer'),
    });
  });
});

function refusal(status: number, body: unknown): ApiResponse {
  return { status, headers: {}, body };
}

describe('a refusal', () => {
  it.each([
    [
      refusal(409, { type: 'x', title: 'The day is closed', detail: 'Use a refund.' }),
      '409 The day is closed: Use a refund.',
    ],
    [
      refusal(400, {
        title: 'Not valid',
        detail: 'See errors.',
        errors: [
          { pointer: '/amount', detail: 'must be above 0' },
          { pointer: '/currency', detail: 'is unknown' },
        ],
      }),
      '400 Not valid: /amount must be above 0; /currency is unknown',
    ],
    [refusal(403, { message: 'Forbidden' }), '403 Forbidden'],
    [refusal(502, '<html>'), '502'],
    [refusal(500, undefined), '500'],
  ])('is a line for a person', (response, text) => {
    expect(describeRefusal(response)).toBe(text);
  });
});
