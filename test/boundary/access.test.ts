import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { JWTPayload } from 'jose';
import { startEdge } from './edge.ts';
import { validRequests } from './requests.ts';
import type { HttpRoute } from './routes.ts';
import { badForHttp, badTokens, createMint } from './tokens.ts';
import { connect, isRefused, type Answer, type WireRequest } from './wire.ts';

/**
 * Goal: nobody gets past a route without a token that covers it.
 * Method: every route of the synthesized templates, with a request that is valid but for its token; the answers are
 * API Gateway's own, and no function writes anything.
 */

let trapped = 0;

const edge = await startEdge();
/** Where a token says that its key can be had. */
const trap = createServer((_, response) => {
  trapped += 1;
  response.end('{"keys":[]}');
}).listen(0, '127.0.0.1');
await once(trap, 'listening');
const { port } = trap.address() as AddressInfo;
const mint = await createMint(edge.system, `http://127.0.0.1:${port}/keys.json`);

afterAll(async () => {
  trap.close();
  await edge.stop();
});

const valid = () => validRequests(edge.system.today);

function requestOf({ routeKey, method, path }: HttpRoute): WireRequest {
  return { method, ...(valid()[routeKey]?.() ?? { path: path.replaceAll(/\{[^}]+\}/g, 'x') }) };
}

function scopesOf(stackName: string): string[] {
  const routes = edge.edges.httpRoutes.filter((route) => route.stackName === stackName);
  return [...new Set(routes.flatMap(({ scopes }) => scopes))];
}

const protectedRoutes = (): HttpRoute[] =>
  edge.edges.httpRoutes.filter(({ routeKey }) => routeKey !== '$default');

async function ask(route: HttpRoute, authorization: string | undefined, more: Partial<WireRequest> = {}) {
  const request = requestOf(route);
  return edge.wire.send(edge.apiUrl(route.stackName), {
    ...request,
    ...more,
    headers: {
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...more.headers,
    },
  });
}

/** The answers of all routes, to be compared with what they should be. */
async function answersTo(asking: (route: HttpRoute) => Promise<Answer>) {
  return Promise.all(
    protectedRoutes().map(async (route) => {
      const { status, headers, body } = await asking(route);
      return {
        route: route.routeKey,
        status,
        body,
        contentType: headers['content-type'],
        says: headers['www-authenticate'] !== undefined,
      };
    }),
  );
}

function refusals(status: 401 | 403) {
  const message = status === 401 ? 'Unauthorized' : 'Forbidden';
  return protectedRoutes().map(({ routeKey }) => ({
    route: routeKey,
    status,
    body: JSON.stringify({ message }),
    contentType: 'application/json',
    says: true,
  }));
}

describe('the routes', () => {
  test('each ask for a token with a scope, but for the answer to unknown paths', () => {
    const { httpRoutes, webSocketRoutes } = edge.edges;
    expect(httpRoutes.length).toBeGreaterThanOrEqual(19);
    const open = httpRoutes.filter(
      ({ authorizationType, scopes }) => authorizationType !== 'JWT' || scopes.length === 0,
    );
    expect(open.map(({ stackName, routeKey }) => [stackName, routeKey])).toEqual([
      ['DuotempoCardSettlement', '$default'],
      ['DuotempoChat', '$default'],
    ]);
    const connecting = webSocketRoutes.filter(({ routeKey }) => routeKey === '$connect');
    expect(connecting).toEqual([{ routeKey: '$connect', authorizationType: 'CUSTOM' }]);
  });

  test('each have a request here that would do something', () => {
    const keys = protectedRoutes().map(({ routeKey }) => routeKey);
    expect(keys.toSorted()).toEqual(Object.keys(valid()).toSorted());
  });
});

describe('a route of an HTTP API', () => {
  test.each([
    ['no authorization', {}],
    ['an empty authorization', { authorization: '' }],
    ['"Bearer" alone', { authorization: 'Bearer' }],
    ['"Bearer" and spaces', { authorization: 'Bearer   ' }],
    ['basic authorization', { authorization: 'Basic Z2F0ZXdheTpzZWNyZXQ=' }],
  ])('refuses %s', async (_, headers) => {
    expect(await answersTo(async (route) => ask(route, undefined, { headers }))).toEqual(refusals(401));
  });

  test.each(Object.keys(badForHttp))('refuses %s', async (name) => {
    const answers = await answersTo(async (route) => {
      const claims = mint.claims(route.stackName, scopesOf(route.stackName));
      return ask(route, `Bearer ${await badForHttp[name]?.(mint, claims)}`);
    });
    expect(answers).toEqual(refusals(401));
  });

  test.each([
    ['Basic', (token: string) => `Basic ${token}`],
    ['two words', (token: string) => `Bearer Bearer ${token}`],
    ['a list', (token: string) => `Bearer x, Bearer ${token}`],
    ['quotes', (token: string) => `Bearer "${token}"`],
  ])('refuses a good token behind %s', async (_, header) => {
    const answers = await answersTo(async (route) =>
      ask(route, header(await mint.sign(mint.claims(route.stackName, scopesOf(route.stackName))))),
    );
    expect(answers).toEqual(refusals(401));
  });

  test.each([
    [
      'query',
      (token: string) => ({ query: `token=${token}&access_token=${token}&authorization=Bearer%20${token}` }),
    ],
    ['cookie', (token: string) => ({ headers: { cookie: `authorization=Bearer ${token}; token=${token}` } })],
    [
      'body',
      (token: string) => ({
        body: `token=${token}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    ],
    [
      'header of another name',
      (token: string) => ({
        headers: { 'x-authorization': `Bearer ${token}`, 'x-forwarded-authorization': token },
      }),
    ],
  ] as readonly (readonly [string, (token: string) => Partial<WireRequest> & { query?: string }])[])(
    'refuses a good token in the %s',
    async (_, place) => {
      const answers = await answersTo(async (route) => {
        const token = await mint.sign(mint.claims(route.stackName, scopesOf(route.stackName)));
        const { query, ...more } = place(token);
        const { path } = requestOf(route);
        const joined = query === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
        return ask(route, undefined, { ...more, path: joined });
      });
      expect(answers).toEqual(refusals(401));
    },
  );

  test('refuses the tokens of the other API’s clients', async () => {
    const answers = await answersTo(async (route) => {
      const other = route.stackName === 'DuotempoChat' ? 'DuotempoCardSettlement' : 'DuotempoChat';
      return ask(route, `Bearer ${await mint.sign(mint.claims(other, scopesOf(route.stackName)))}`);
    });
    expect(answers).toEqual(refusals(401));
  });

  test('refuses an ID token: 403 from the chat API, whose client it is for, and 401 from the other', async () => {
    const answers = await answersTo(async (route) => {
      const { scope: _, client_id, ...claims } = mint.claims('DuotempoChat', []);
      const id = { ...claims, token_use: 'id', aud: String(client_id), 'cognito:username': 'mallory' };
      return ask(route, `Bearer ${await mint.sign(id)}`);
    });
    const chat = new Set(
      protectedRoutes()
        .filter(({ stackName }) => stackName === 'DuotempoChat')
        .map(({ routeKey }) => routeKey),
    );
    expect(answers).toEqual(
      refusals(401).map((refusal, index) => (chat.has(refusal.route) ? refusals(403)[index] : refusal)),
    );
  });

  test.each([
    [
      'all scopes but its own',
      (route: HttpRoute) => scopesOf(route.stackName).filter((scope) => !route.scopes.includes(scope)),
    ],
    ['no scope', () => []],
    [
      'scopes that are nearly its own',
      (route: HttpRoute) =>
        route.scopes.flatMap((scope) => [
          `${scope}s`,
          scope.slice(0, -1),
          scope.toUpperCase(),
          `${scope},x`,
          `*`,
          scope.split(/[./]/)[0] ?? '',
        ]),
    ],
    [
      'the scopes of the other API',
      (route: HttpRoute) =>
        scopesOf(route.stackName === 'DuotempoChat' ? 'DuotempoCardSettlement' : 'DuotempoChat'),
    ],
  ])('refuses a token with %s', async (_, scopes) => {
    const answers = await answersTo(async (route) =>
      ask(route, `Bearer ${await mint.sign(mint.claims(route.stackName, scopes(route)))}`),
    );
    expect(answers).toEqual(refusals(403));
  });

  test('answers an unknown path 404 to everybody, whatever the token', async () => {
    for (const route of edge.edges.httpRoutes.filter(({ routeKey }) => routeKey === '$default')) {
      for (const authorization of [undefined, 'Bearer garbage']) {
        const { status, body } = await ask(route, authorization);
        expect([status, JSON.parse(body)]).toEqual([404, expect.objectContaining({ status: 404 })]);
      }
    }
  });
});

describe('a connection', () => {
  const tried = async (query: string, headers: Record<string, string> = {}): Promise<Answer | 'open'> => {
    const result = await connect(`${edge.system.outputs.DuotempoChat.WebSocketUrl}${query}`, headers);
    if (isRefused(result)) return result;
    result.close();
    return 'open';
  };
  const unauthorized = expect.objectContaining({
    status: 401,
    body: expect.stringMatching(/^\{"message":"Unauthorized",/),
  });
  const chatClaims = (changes: JWTPayload = {}): JWTPayload =>
    mint.claims('DuotempoChat', scopesOf('DuotempoChat'), changes);

  test.each(['', '?', '?token', '?token=', '?TOKEN=x', '?access_token=x'])(
    'with the query "%s" is refused',
    async (query) => {
      expect(await tried(query)).toEqual(unauthorized);
    },
  );

  test.each(Object.keys(badTokens))('with %s is refused', async (name) => {
    expect(
      await tried(`?token=${encodeURIComponent((await badTokens[name]?.(mint, chatClaims())) ?? '')}`),
    ).toEqual(unauthorized);
  });

  test.each([
    ['another token use', { token_use: 'id' }],
    ['no scope', { scope: '' }],
    ['another scope', { scope: 'duotempo/transactions.write aws.cognito.signin.user.admin2' }],
    ['no user', { username: undefined }],
    ['a user whose name is none', { username: 'Bob/../alice' }],
    ['a user that is a list', { username: ['alice'] }],
    ['a scope that is a list', { scope: ['aws.cognito.signin.user.admin'] }],
  ] as readonly (readonly [string, Record<string, unknown>])[])(
    'with a token of %s is refused',
    async (_, changes) => {
      expect(await tried(`?token=${await mint.sign({ ...chatClaims(), ...changes })}`)).toEqual(unauthorized);
    },
  );

  test('with the token of a card client is refused', async () => {
    expect(await tried(`?token=${await edge.system.token('gateway')}`)).toEqual(unauthorized);
  });

  test('with a good token in a header is refused: it must stand in the query', async () => {
    const token = await mint.sign(chatClaims());
    expect(await tried('', { authorization: `Bearer ${token}`, token })).toEqual(unauthorized);
    expect(await tried(`?token=Bearer%20${token}`)).toEqual(unauthorized);
  });
});

test('nothing was written, and no key was fetched from where a token said', () => {
  expect(edge.writes).toEqual([]);
  expect(trapped).toBe(0);
});

test('no function has failed but the authorizer, as it says no', () => {
  const failed = edge.system.events.filter(
    (event) =>
      event.type === 'invocation' && event.outcome !== 'success' && event.errorMessage !== 'Unauthorized',
  );
  expect(failed).toEqual([]);
});

describe('with a good token', () => {
  test('every route lets the same requests in', async () => {
    for (const route of protectedRoutes()) {
      const token = await mint.sign(mint.claims(route.stackName, route.scopes));
      for (const header of [`Bearer ${token}`, `bearer ${token}`, token]) {
        const { status, body } = await ask(route, header);
        const outcome = status === 401 || status === 403 ? `${status} ${body}` : 'let in';
        expect([route.routeKey, outcome]).toEqual([route.routeKey, 'let in']);
      }
    }
    expect(edge.writes.length).toBeGreaterThan(10);
  });
});
