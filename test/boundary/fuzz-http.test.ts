import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { conversationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { balanced, reconcile } from '../end-to-end/card-settlement/day.ts';
import { daysAgo, noonOf, sale } from '../end-to-end/system.ts';
import { synthesized } from '../stack/templates.ts';
import { body, contentType, cursor, headers, headerValue, pathPart, query, runs } from './arbitraries.ts';
import { startEdge } from './edge.ts';
import { validRequests } from './requests.ts';
import { edgesOf, type HttpRoute } from './routes.ts';
import { createMint } from './tokens.ts';
import type { Answer, WireRequest } from './wire.ts';

/**
 * Goal: whatever a caller with a good token sends is answered in time, by something else than a 5xx, and a 4xx means that
 * nothing was written.
 * Method: each route of the templates gets mutations of a valid request, and nonsense; requests go one by one, so that
 * what a function wrote is what the request before it made it write.
 */

const tokens = new Map<string, string>();
const USER = 'mallory';

// Known before the tests are declared, so that each route has one of its own.
const { httpRoutes } = edgesOf(await synthesized('test'));

const edge = await startEdge();
const mint = await createMint(edge.system);
for (const stackName of ['DuotempoCardSettlement', 'DuotempoChat']) {
  const scopes = httpRoutes.filter((route) => route.stackName === stackName).flatMap(({ scopes }) => scopes);
  tokens.set(stackName, await mint.sign(mint.claims(stackName, [...new Set(scopes)], { username: USER })));
}

afterAll(async () => {
  await edge.stop();
});

async function send(route: Pick<HttpRoute, 'stackName'>, request: WireRequest): Promise<Answer> {
  return edge.wire.send(edge.apiUrl(route.stackName), {
    ...request,
    headers: { ...request.headers, authorization: `Bearer ${tokens.get(route.stackName)}` },
  });
}

/** Sends, and holds the answer to what every answer must be. */
async function judged(route: HttpRoute, request: WireRequest): Promise<Answer> {
  const before = edge.writes.length;
  const answer = await send(route, request);
  const { status, headers: given, body: said } = answer;
  const type = given['content-type'] ?? '';
  expect(status).toBeLessThan(500);
  if (status >= 400) {
    expect(edge.writes.slice(before)).toEqual([]);
    const answered: unknown = JSON.parse(said);
    expect(answered).toEqual(
      type === 'application/problem+json'
        ? expect.objectContaining({ type: expect.stringMatching(/^urn:duotempo:problem:[a-z-]+$/), status })
        : { message: expect.any(String) },
    );
  } else if (said !== '' && !type.startsWith('text/csv')) JSON.parse(said);
  expect(said).not.toMatch(/4111111111111111|node_modules|\bat [A-Za-z.]+ \(/);
  return answer;
}

const today = (): string => edge.system.today;

function validOf(route: HttpRoute): Omit<WireRequest, 'method'> {
  return validRequests(today())[route.routeKey]?.() ?? { path: route.path };
}

async function check<T>(
  arbitrary: fc.Arbitrary<T>,
  numRuns: number,
  holds: (input: T) => Promise<unknown>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (input) => {
      await holds(input);
    }),
    runs(numRuns),
  );
}

const named = (route: HttpRoute): [string, HttpRoute] => [`${route.stackName}: ${route.routeKey}`, route];
// Route by route, so that its function stays warm.
describe.each(httpRoutes.map(named))('%s', (_, route) => {
  const { method } = route;
  const valid = validRequests('2026-03-10')[route.routeKey]?.().body;

  test('any body', async () => {
    const bytes = valid === undefined ? body({ any: 1 }) : body(JSON.parse(String(valid)));
    const numRuns = valid === undefined ? 15 : 120;
    await check(fc.tuple(fc.option(bytes), fc.option(contentType)), numRuns, async ([sent, type]) => {
      const { headers: more, path } = validOf(route);
      await judged(route, {
        method,
        path,
        headers: { ...more, ...(type === null ? {} : { 'content-type': type }) },
        ...(sent === null ? {} : { body: sent }),
      });
    });
  });

  test('any headers', async () => {
    await check(headers, 10, async (more) => {
      const good = validOf(route);
      await judged(route, { ...good, method, headers: { ...good.headers, ...more } });
    });
  });

  test('any path and query', async () => {
    const parameters = route.path.match(/\{[^}]+\}/g) ?? [];
    const parts = fc.array(pathPart, { minLength: 2, maxLength: 2 });
    await check(fc.tuple(parts, query), parameters.length === 0 ? 12 : 60, async ([each, more]) => {
      const path = parameters.reduce(
        (done, parameter, index) => done.replace(parameter, () => each[index] ?? ''),
        route.path,
      );
      await judged(route, { ...validOf(route), method, path: `${path}${more}` });
    });
    await check(query, 12, async (more) => {
      const { path } = validOf(route);
      const joined = path.includes('?') ? `${path}&${more.slice(1)}` : `${path}${more}`;
      await judged(route, { ...validOf(route), method, path: joined });
    });
  });
});

test('any idempotency key', async () => {
  const route = httpRoutes.find(({ routeKey }) => routeKey === 'POST /transactions');
  if (route === undefined) throw new Error('There is no intake.');
  await check(headerValue, 60, async (key) => {
    const { status } = await judged(route, {
      ...validOf(route),
      method: 'POST',
      headers: { 'idempotency-key': key },
    });
    const isGood = /^[A-Za-z0-9_-]{1,64}$/.test(key.trim()) && !key.includes('4111111111111111');
    // A key that came before was another sale's.
    expect(isGood ? [201, 422] : [400]).toContain(status);
  });
});

test('any method of any path that is no route', async () => {
  const unknown = httpRoutes.filter(({ routeKey }) => routeKey === '$default');
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND');
  const parts = fc.array(pathPart, { maxLength: 4 });
  await check(fc.tuple(fc.constantFrom(...unknown), method, parts), 100, async ([route, verb, each]) => {
    const { status } = await judged(route, { method: verb, path: `/nowhere/${each.join('/')}` });
    expect([400, 404]).toContain(status);
  });
});

describe('any cursor', () => {
  let lists: readonly { readonly route: HttpRoute; readonly path: string }[];
  const cursors: string[] = [];

  beforeAll(async () => {
    const date = daysAgo(edge.system, 3);
    const stage = async (fields: Readonly<Record<string, unknown>>): Promise<string> =>
      edge.system.stage({ occurredAt: noonOf(date), ...fields });
    // Twins: the later one of each pair is held.
    for (const merchant of ['mer_a', 'mer_b', 'mer_c']) {
      const twin = { merchantId: merchant, cardToken: `tok_${merchant}` };
      await stage(twin);
      await stage({ ...twin, occurredAt: noonOf(date).replace(':00Z', ':30Z') });
    }
    await edge.system.stage({ occurredAt: noonOf(daysAgo(edge.system, 4)) });
    await reconcile(edge.system, date);
    await edge.system.dayWith(date, balanced);
    for (const from of ['alice', 'bob', 'carol']) {
      const token = await mint.sign(
        mint.claims('DuotempoChat', ['aws.cognito.signin.user.admin'], { username: from }),
      );
      for (const number of [1, 2, 3]) {
        const { status } = await edge.wire.send(edge.apiUrl('DuotempoChat'), {
          method: 'POST',
          path: '/messages',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ to: USER, text: `hello ${number}`, clientMessageId: randomUUID() }),
        });
        if (status !== 201) throw new Error(`A message was answered ${status}.`);
      }
    }
    const paths: Readonly<Record<string, string>> = {
      'GET /transactions': `/transactions?status=held&businessDate=${date}&limit=1`,
      'GET /business-days': '/business-days?limit=1',
      'GET /settlements/{businessDate}': `/settlements/${date}?limit=1`,
      'GET /settlements/{businessDate}/merchants/{merchantId}': `/settlements/${date}/merchants/mer_a?limit=1`,
      'GET /conversations/{conversationId}/messages': `/conversations/${conversationIdOf('alice', USER)}/messages?limit=1`,
      'GET /notifications': '/notifications?limit=1',
    };
    lists = httpRoutes.flatMap((route) => {
      const path = paths[route.routeKey];
      return path === undefined ? [] : [{ route, path }];
    });
    const deadline = Date.now() + 30_000;
    for (const { route, path } of lists) {
      let next: string | undefined;
      while (next === undefined && Date.now() < deadline) {
        const { body: said } = await send(route, { path });
        next = (JSON.parse(said) as { cursor?: string }).cursor;
      }
      if (next === undefined) throw new Error(`${route.routeKey} has no second page.`);
      cursors.push(next);
    }
  });

  test('is read as one of the list, or refused: nothing of another list, or of another user, comes of it', async () => {
    expect(lists).toHaveLength(6);
    await check(fc.tuple(fc.nat(5), cursor(cursors)), 200, async ([index, each]) => {
      const list = lists[index];
      if (list === undefined) throw new Error('There is no such list.');
      const { status, body: said } = await judged(list.route, { path: `${list.path}&cursor=${each}` });
      expect([200, 400, 431]).toContain(status);
      if (status !== 200 || list.route.stackName !== 'DuotempoChat') return;
      const { items } = JSON.parse(said) as { items: { from: string; to?: string }[] };
      for (const { from, to = USER } of items) expect([from, to]).toContain(USER);
    });
  });

  test.each([
    '{"merchantId":"\\ud800","transactionId":"a"}',
    '{"merchantId":"\\ud800","currency":"USD"}',
    '"\\ud800"',
    '"a\\u0000"',
  ])('is refused where it says %s: what no table holds is not looked up', async (content) => {
    const each = Buffer.from(content).toString('base64url');
    for (const { route, path } of lists) {
      const { status } = await judged(route, { path: `${path}&cursor=${each}` });
      expect([route.routeKey, status]).toEqual([route.routeKey, 400]);
    }
  });

  test('that another user was given shows that user’s own list only', async () => {
    const list = lists.find(({ route }) => route.routeKey === 'GET /notifications');
    const token = await mint.sign(
      mint.claims('DuotempoChat', ['aws.cognito.signin.user.admin'], { username: 'stranger' }),
    );
    for (const each of cursors) {
      const { status, body: said } = await edge.wire.send(edge.apiUrl('DuotempoChat'), {
        path: `${list?.path}&cursor=${each}`,
        headers: { authorization: `Bearer ${token}` },
      });
      expect([200, 400]).toContain(status);
      if (status === 200) expect(JSON.parse(said)).toEqual({ items: [] });
    }
  });
});

describe('after all that', () => {
  test('no function has failed, none was killed, and the app still works', async () => {
    const failed = edge.system.events.filter(
      (event) =>
        // A worker of this stage has a second, which a busy machine may not give it; a route that hangs is a 5xx.
        (event.type === 'invocation' &&
          event.outcome !== 'success' &&
          event.errorType !== 'Sandbox.Timedout') ||
        (event.type === 'http' && event.status >= 500),
    );
    expect(failed).toEqual([]);
    await edge.system.stage(sale());
  });
});
