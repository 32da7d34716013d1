import { describe, expect, it } from '@jest/globals';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import * as v from 'valibot';
import { MerchantProfile } from '../../../lambda/card-settlement/domain/merchant.ts';
import { pageBody, pageIn } from '../../../lambda/card-settlement/requests.ts';
import {
  httpHandler,
  parseAs,
  parseJson,
  type HttpRequest,
  type HttpResponse,
} from '../../../lambda/shared/http.ts';
import { notFoundProblem, Problem, problemBody } from '../../../lambda/shared/problem.ts';
import { captureLog } from './captured-log.ts';
import { httpRequest, profile } from '../card-settlement/card-facts.ts';

function event(
  changes: Partial<APIGatewayProxyEventV2WithJWTAuthorizer> = {},
): APIGatewayProxyEventV2WithJWTAuthorizer {
  return {
    version: '2.0',
    routeKey: 'PUT /merchants/{merchantId}',
    rawPath: '/merchants/mer_1',
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    pathParameters: { merchantId: 'mer_1' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'localhost',
      domainPrefix: 'api',
      http: {
        method: 'PUT',
        path: '/merchants/mer_1',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'curl',
      },
      requestId: 'request-1',
      routeKey: 'PUT /merchants/{merchantId}',
      stage: '$default',
      time: '10/Mar/2026:16:00:00 +0000',
      timeEpoch: 1_773_158_400_000,
      authorizer: {
        principalId: '',
        integrationLatency: 0,
        jwt: { claims: { client_id: 'operator-client', scope: 'a/read  a/write' }, scopes: ['a/read'] },
      },
    },
    isBase64Encoded: false,
    ...changes,
  };
}

async function answer(
  handle: (request: HttpRequest) => Promise<HttpResponse>,
  changes: Partial<APIGatewayProxyEventV2WithJWTAuthorizer> = {},
) {
  const { result, lines } = await captureLog(() =>
    httpHandler(handle)(event(changes), { awsRequestId: 'run-1' }),
  );
  return { ...result, lines };
}

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('It was let pass.');
}

describe('a handler', () => {
  it('gets the request, and who calls', async () => {
    let seen: HttpRequest | undefined;
    await answer(
      async (request) => {
        seen = request;
        return Promise.resolve({ status: 204 });
      },
      { body: '{"a":1}', queryStringParameters: { limit: '5' } },
    );
    expect(seen).toEqual({
      requestId: 'request-1',
      routeKey: 'PUT /merchants/{merchantId}',
      path: { merchantId: 'mer_1' },
      query: { limit: '5' },
      headers: { 'content-type': 'application/json' },
      caller: { clientId: 'operator-client', scopes: ['a/read', 'a/write'] },
      body: '{"a":1}',
    });
  });

  it('refuses a body that is no UTF-8', async () => {
    const { statusCode, body, lines } = await answer(async () => Promise.resolve({ status: 204 }), {
      body: Buffer.from('{"name":"\xff"}', 'latin1').toString('base64'),
      isBase64Encoded: true,
    });
    expect(statusCode).toBe(400);
    expect(JSON.parse(body ?? '')).toMatchObject({ type: 'urn:duotempo:problem:malformed-json' });
    expect(lines).toMatchObject([
      { level: 'info', message: 'request refused', status: 400, problem: 'malformed-json' },
    ]);
  });

  it('gets a base64 body as text', async () => {
    let body: string | undefined;
    await answer(
      async (request) => {
        body = request.body;
        return Promise.resolve({ status: 204 });
      },
      { body: Buffer.from('{"name":"寿司"}').toString('base64'), isBase64Encoded: true },
    );
    expect(body).toBe('{"name":"寿司"}');
  });

  it('answers an object as JSON, text as it stands, and nothing as nothing', async () => {
    expect(
      await answer(async () => Promise.resolve({ status: 201, headers: { location: '/x' }, body: { a: 1 } })),
    ).toMatchObject({
      statusCode: 201,
      headers: { 'content-type': 'application/json', location: '/x' },
      body: '{"a":1}',
    });
    expect(
      await answer(async () =>
        Promise.resolve({ status: 200, headers: { 'content-type': 'text/csv' }, body: 'H,1' }),
      ),
    ).toMatchObject({ headers: { 'content-type': 'text/csv' }, body: 'H,1' });
    expect(await answer(async () => Promise.resolve({ status: 204 }))).not.toHaveProperty('body');
  });

  it('answers a problem in its own media type', async () => {
    const { statusCode, headers, body } = await answer(async () =>
      Promise.reject(notFoundProblem('merchant')),
    );
    expect(statusCode).toBe(404);
    expect(headers).toEqual({ 'content-type': 'application/problem+json' });
    expect(JSON.parse(body ?? '')).toEqual({
      type: 'urn:duotempo:problem:not-found',
      title: 'No such merchant',
      status: 404,
    });
  });

  it('answers what it did not expect with a 500 problem that keeps the cause to the log', async () => {
    const { statusCode, body, lines } = await answer(async () => Promise.reject(new TypeError('table gone')));
    expect(statusCode).toBe(500);
    expect(JSON.parse(body ?? '')).toMatchObject({
      type: 'urn:duotempo:problem:internal-error',
      status: 500,
    });
    expect(body).not.toContain('table gone');
    expect(lines).toMatchObject([{ level: 'error', errorName: 'TypeError', errorMessage: 'table gone' }]);
  });
});

describe('a body', () => {
  it('may have as many bytes as the limit, and not one more', () => {
    const fitting = `"${'é'.repeat(8191)}"`; // 16,384 bytes
    expect(parseJson(fitting, 16_384)).toHaveLength(8191);
    expect(problemOf(() => parseJson(` ${fitting}`, 16_384))).toMatchObject({
      status: 413,
      slug: 'body-too-large',
    });
  });

  it.each(['', '{', '{"a":1,}', "{'a':1}", 'undefined', '{"a":1}{"b":2}', '\u0000', 'NaN'])(
    '%j is no JSON',
    (body) => {
      expect(problemOf(() => parseJson(body, 16_384))).toMatchObject({ status: 400, slug: 'malformed-json' });
    },
  );
});

describe('a validation problem', () => {
  it('names every field at fault by its pointer, in words that repeat no value', () => {
    const problem = problemOf(() =>
      parseAs(MerchantProfile, {
        ...profile({ feeBasisPoints: 10_001 }),
        name: 7_654_321,
        country: 'secret-country',
        feeFixedMinor: undefined,
        'a/b~c': 'secret-value',
      }),
    );
    expect(problemBody(problem)).toEqual({
      type: 'urn:duotempo:problem:validation-failed',
      title: 'The request is not valid',
      status: 400,
      errors: [
        { pointer: '/name', detail: 'must be of type string' },
        { pointer: '/country', detail: 'must be an ISO 3166-1 alpha-2 country code' },
        { pointer: '/feeBasisPoints', detail: 'must be a whole number from 0 to 10,000' },
        { pointer: '/feeFixedMinor', detail: expect.any(String) },
        { pointer: '/a~1b~0c', detail: 'is not a known field' },
      ],
    });
    expect(JSON.stringify(problemBody(problem))).not.toMatch(/secret|7654321/);
  });

  it('says that a field is missing, and where a value stands that is not in the body', () => {
    const { name: _name, ...nameless } = profile();
    expect(problemOf(() => parseAs(MerchantProfile, nameless)).errors).toEqual([
      { pointer: '/name', detail: 'is required' },
    ]);
    expect(problemOf(() => parseAs(v.string(), undefined, 'header:Idempotency-Key')).errors).toEqual([
      { pointer: 'header:Idempotency-Key', detail: 'is required' },
    ]);
  });

  it('names at most a hundred fields, each by at most 64 characters', () => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`${index}-${'x'.repeat(200)}`, 1]),
    );
    const { errors = [] } = problemOf(() => parseAs(MerchantProfile, many));
    expect(errors.length).toBeLessThanOrEqual(100);
    for (const { pointer } of errors) expect(pointer.length).toBeLessThanOrEqual(65);
  });
});

describe('a page', () => {
  const Cursor = v.strictObject({ merchantId: v.string() });
  const page = (query: Record<string, string>) => pageIn(httpRequest({ query }), Cursor);

  it('has 50 items unless the request says otherwise, 1 to 100', () => {
    expect(page({})).toEqual({ limit: 50, cursor: undefined });
    expect(page({ limit: '1' }).limit).toBe(1);
    expect(page({ limit: '100' }).limit).toBe(100);
  });

  it.each(['0', '101', '-1', '1.5', '1e1', '', 'ten', ' 5', '0x5', '1000', '١'])(
    'has no limit of %j',
    (limit) => {
      expect(problemOf(() => page({ limit })).errors).toMatchObject([{ pointer: 'query:limit' }]);
    },
  );

  it('goes on where its cursor says', () => {
    const { cursor } = pageBody([], { merchantId: 'mer_1' });
    expect(page({ cursor: String(cursor) }).cursor).toEqual({ merchantId: 'mer_1' });
    expect(pageBody([1], undefined)).toEqual({ items: [1] });
  });

  it.each([
    '',
    'x',
    '%',
    'a'.repeat(513),
    Buffer.from('{').toString('base64url'),
    Buffer.from('null').toString('base64url'),
    Buffer.from('{"merchantId":1}').toString('base64url'),
    Buffer.from('{"merchantId":"m","more":1}').toString('base64url'),
  ])('has no cursor %j', (cursor) => {
    expect(problemOf(() => page({ cursor })).errors).toMatchObject([{ pointer: 'query:cursor' }]);
  });

  it('knows no other parameters', () => {
    expect(problemOf(() => page({ offset: '5' })).errors).toEqual([
      { pointer: 'query:offset', detail: 'is not a known parameter' },
    ]);
  });
});
