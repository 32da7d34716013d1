import { afterAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { createHmac } from 'node:crypto';
import { startMountServer, type MountServer } from '../../../local/http/server.ts';
import { createJwtAuthorizer } from '../../../local/api-gateway/jwt-authorizer.ts';
import type { UserPoolClientDefinition } from '../../../local/cognito/client.ts';
import { createUserPool, type UserPool } from '../../../local/cognito/user-pool.ts';

const servers: MountServer[] = [];
afterAll(async () => {
  await Promise.all(servers.splice(0).map(async (server) => server.stop()));
});

const gateway: UserPoolClientDefinition = {
  clientId: 'gateway-client',
  clientName: 'gateway',
  clientSecret: 'secret:with+signs',
  allowedOAuthFlows: ['client_credentials'],
  allowedOAuthScopes: ['duotempo/transactions.write', 'duotempo/transactions.read'],
  explicitAuthFlows: [],
  accessTokenValiditySeconds: 3600,
  idTokenValiditySeconds: 3600,
};
const chat: UserPoolClientDefinition = {
  clientId: 'chat-client',
  allowedOAuthFlows: [],
  allowedOAuthScopes: [],
  explicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  accessTokenValiditySeconds: 900,
  idTokenValiditySeconds: 600,
};

async function startUserPool(clients: readonly UserPoolClientDefinition[]): Promise<UserPool> {
  const server = await startMountServer(0);
  servers.push(server);
  const pool = await createUserPool({ userPoolId: 'us-east-1_pool', issuer: `${server.url}/identity` });
  server.addMount('/identity', (request, response, path) => pool.handleHttp(request, response, path));
  for (const client of clients) pool.addClient(client);
  return pool;
}

/** Nothing changes a pool, and its key takes long to make: the tests that need no other clients share one. */
let shared: Promise<UserPool> | undefined;
async function aUserPool(clients?: readonly UserPoolClientDefinition[]): Promise<UserPool> {
  if (clients) return startUserPool(clients);
  shared ??= startUserPool([gateway, chat]);
  return shared;
}

function basic(clientId: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
}

async function requestToken(
  pool: UserPool,
  form: Record<string, string>,
  headers: Record<string, string> = basic(gateway.clientId, 'secret:with+signs'),
) {
  const body = new URLSearchParams(form);
  const response = await fetch(`${pool.issuer}/oauth2/token`, { method: 'POST', headers, body });
  const answer: Record<string, unknown> = Object(await response.json());
  return { status: response.status, answer, headers: response.headers };
}

describe('the token endpoint', () => {
  test('gives a client all its scopes by default, in a token of the shape of Cognito', async () => {
    const pool = await aUserPool();
    const { status, answer, headers } = await requestToken(pool, { grant_type: 'client_credentials' });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(answer).toStrictEqual({
      access_token: expect.any(String),
      expires_in: 3600,
      token_type: 'Bearer',
    });
    const claims = decodeJwt(String(answer['access_token']));
    expect(claims).toStrictEqual({
      sub: 'gateway-client',
      token_use: 'access',
      scope: 'duotempo/transactions.write duotempo/transactions.read',
      auth_time: expect.any(Number),
      iss: pool.issuer,
      exp: expect.any(Number),
      iat: expect.any(Number),
      version: 2,
      jti: expect.any(String),
      client_id: 'gateway-client',
    });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
  });

  test('gives only the scopes asked for', async () => {
    const pool = await aUserPool();
    const scope = 'duotempo/transactions.read';
    const { answer } = await requestToken(pool, { grant_type: 'client_credentials', scope });
    expect(decodeJwt(String(answer['access_token']))['scope']).toBe(scope);
  });

  test('takes the credentials from the form too', async () => {
    const pool = await aUserPool();
    const form = {
      grant_type: 'client_credentials',
      client_id: gateway.clientId,
      client_secret: 'secret:with+signs',
    };
    await expect(requestToken(pool, form, {})).resolves.toMatchObject({ status: 200 });
  });

  test.each([
    ['invalid_client', { grant_type: 'client_credentials' }, basic(gateway.clientId, 'wrong')],
    ['invalid_client', { grant_type: 'client_credentials' }, basic('nobody', 'secret')],
    ['invalid_client', { grant_type: 'client_credentials', client_id: gateway.clientId }, {}],
    ['invalid_client', { grant_type: 'client_credentials', client_id: chat.clientId }, {}],
    ['invalid_request', { grant_type: 'client_credentials' }, {}],
    ['invalid_request', {}, undefined],
    ['unsupported_grant_type', { grant_type: 'password' }, undefined],
    ['invalid_scope', { grant_type: 'client_credentials', scope: 'duotempo/settlement.operate' }, undefined],
  ])('refuses with %s', async (error, form, headers) => {
    const pool = await aUserPool();
    const { status, answer } = await requestToken(pool, Object(form), headers && Object(headers));
    expect({ status, answer }).toStrictEqual({ status: 400, answer: { error } });
  });

  test('refuses a client without the flow, another content type and another method', async () => {
    const pool = await aUserPool([{ ...gateway, allowedOAuthFlows: ['code'] }]);
    const { answer } = await requestToken(pool, { grant_type: 'client_credentials' });
    expect(answer).toStrictEqual({ error: 'unauthorized_client' });
    const json = await fetch(`${pool.issuer}/oauth2/token`, { method: 'POST', body: '{}' });
    expect(json.status).toBe(400);
    const get = await fetch(`${pool.issuer}/oauth2/token`);
    expect(get.status).toBe(405);
  });
});

describe('discovery', () => {
  test('leads to the keys that verify its tokens', async () => {
    const pool = await aUserPool();
    const discovered = await fetch(`${pool.issuer}/.well-known/openid-configuration`);
    const document: Record<string, unknown> = Object(await discovered.json());
    expect(document).toMatchObject({
      issuer: pool.issuer,
      token_endpoint: `${pool.issuer}/oauth2/token`,
    });
    const keys = createRemoteJWKSet(new URL(String(document['jwks_uri'])));
    const { answer } = await requestToken(pool, { grant_type: 'client_credentials' });
    const token = String(answer['access_token']);
    expect(decodeProtectedHeader(token)).toStrictEqual({ alg: 'RS256', kid: expect.any(String) });
    await expect(jwtVerify(token, keys, { issuer: pool.issuer })).resolves.toBeDefined();
  });

  test('publishes no private key', async () => {
    const pool = await aUserPool();
    const response = await fetch(`${pool.issuer}/.well-known/jwks.json`);
    expect(await response.json()).toStrictEqual({
      keys: [
        {
          kty: 'RSA',
          n: expect.any(String),
          e: 'AQAB',
          kid: expect.any(String),
          alg: 'RS256',
          use: 'sig',
        },
      ],
    });
  });

  test('has nothing else', async () => {
    const pool = await aUserPool();
    const response = await fetch(`${pool.issuer}/login`);
    expect(response.status).toBe(404);
  });
});

async function signIn(pool: UserPool, body: Record<string, unknown>) {
  return pool.handleAws('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: chat.clientId, ...body });
}
async function subjectOf(pool: UserPool, name: string): Promise<unknown> {
  const { body } = await signIn(pool, { AuthParameters: { ...alice, USERNAME: name } });
  return decodeJwt(String(Object(body).AuthenticationResult.AccessToken)).sub;
}

const alice = { USERNAME: 'alice', PASSWORD: 'anything' };

describe('InitiateAuth', () => {
  test('signs a user in with any password', async () => {
    const pool = await aUserPool();
    const { status, body } = await signIn(pool, { AuthParameters: alice });
    expect(status).toBe(200);
    const result: Record<string, unknown> = Object(body).AuthenticationResult;
    expect(result).toMatchObject({ ExpiresIn: 900, TokenType: 'Bearer', RefreshToken: expect.any(String) });
    const access = decodeJwt(String(result['AccessToken']));
    const id = decodeJwt(String(result['IdToken']));
    expect(access).toMatchObject({
      token_use: 'access',
      username: 'alice',
      client_id: 'chat-client',
      scope: 'aws.cognito.signin.user.admin',
    });
    expect(access).not.toHaveProperty('aud');
    expect(id).toMatchObject({
      token_use: 'id',
      aud: 'chat-client',
      'cognito:username': 'alice',
      sub: access.sub,
    });
    expect(id).not.toHaveProperty('scope');
    expect(Number(id.exp) - Number(id.iat)).toBe(600);
  });

  test('gives a user the same subject every time, and others another', async () => {
    const [first, second] = [await aUserPool(), await aUserPool([chat])];
    const subject = await subjectOf(first, 'alice');
    expect(subject).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    await expect(subjectOf(second, 'alice')).resolves.toBe(subject);
    await expect(subjectOf(first, 'bob')).resolves.not.toBe(subject);
  });

  test("the ID token doesn't pass a route that demands the sign-in scope", async () => {
    const pool = await aUserPool();
    const { body } = await signIn(pool, { AuthParameters: alice });
    const { AccessToken, IdToken } = Object(body).AuthenticationResult;
    const authorize = createJwtAuthorizer({
      issuer: pool.issuer,
      audience: [chat.clientId],
      keysOf: () => pool.keys(),
    });
    const scopes = ['aws.cognito.signin.user.admin'];
    await expect(authorize(AccessToken, scopes)).resolves.toMatchObject({ kind: 'allowed' });
    await expect(authorize(IdToken, scopes)).resolves.toMatchObject({ status: 403 });
    expect(authorize(IdToken, [])).toMatchObject({ kind: 'allowed' });
  });

  test.each([
    ['ResourceNotFoundException', { ClientId: 'nobody', AuthParameters: alice }],
    ['InvalidParameterException', { ClientId: undefined, AuthParameters: alice }],
    ['InvalidParameterException', { AuthFlow: 'USER_SRP_AUTH', AuthParameters: alice }],
    ['InvalidParameterException', { AuthParameters: { USERNAME: 'alice' } }],
    ['InvalidParameterException', {}],
    ['InvalidParameterException', { ClientId: gateway.clientId, AuthParameters: alice }],
    ['NotAuthorizedException', { AuthParameters: { ...alice, USERNAME: 'Alice' } }],
    ['NotAuthorizedException', { AuthParameters: { ...alice, USERNAME: 'a'.repeat(65) } }],
    ['NotAuthorizedException', { AuthParameters: { ...alice, USERNAME: '-alice' } }],
  ])('refuses with %s: %j', async (type, body) => {
    const pool = await aUserPool();
    await expect(signIn(pool, body)).resolves.toStrictEqual({
      status: 400,
      body: { __type: type, message: expect.any(String) },
    });
  });

  test('wants the secret hash of a client with a secret', async () => {
    const pool = await aUserPool([{ ...chat, clientSecret: 's3cret' }]);
    const hash = createHmac('sha256', 's3cret').update(`alice${chat.clientId}`).digest('base64');
    const statuses = [undefined, 'wrong', hash].map(async (SECRET_HASH) => {
      const { status } = await signIn(pool, { AuthParameters: { ...alice, SECRET_HASH } });
      return status;
    });
    await expect(Promise.all(statuses)).resolves.toStrictEqual([400, 400, 200]);
  });
});

describe('DescribeUserPoolClient', () => {
  test("tells a client's secret, flows and scopes", async () => {
    const pool = await aUserPool();
    const request = { UserPoolId: 'us-east-1_pool', ClientId: gateway.clientId };
    await expect(pool.handleAws('DescribeUserPoolClient', request)).resolves.toMatchObject({
      status: 200,
      body: {
        UserPoolClient: {
          ClientId: gateway.clientId,
          ClientName: 'gateway',
          ClientSecret: gateway.clientSecret,
          AllowedOAuthFlows: ['client_credentials'],
          AllowedOAuthScopes: gateway.allowedOAuthScopes,
        },
      },
    });
  });

  test('knows no other pool, no other client, and no other action', async () => {
    const pool = await aUserPool();
    const typeOf = async (action: string, body: unknown): Promise<unknown> => {
      const answered = await pool.handleAws(action, body);
      return Object(answered.body)['__type'];
    };
    const found = { UserPoolId: 'us-east-1_pool', ClientId: gateway.clientId };
    const missing = 'ResourceNotFoundException';
    await expect(typeOf('DescribeUserPoolClient', { ...found, UserPoolId: 'x' })).resolves.toBe(missing);
    await expect(typeOf('DescribeUserPoolClient', { ...found, ClientId: 'x' })).resolves.toBe(missing);
    await expect(typeOf('ListGroups', found)).resolves.toBe('UnknownOperationException');
    await expect(typeOf('InitiateAuth', 'text')).resolves.toBe('SerializationException');
  });
});

describe('an administrator', () => {
  const policy = {
    minimumLength: 12,
    requireUppercase: true,
    requireLowercase: true,
    requireNumbers: true,
    requireSymbols: true,
  };
  const aPool = async () =>
    createUserPool({
      userPoolId: 'us-east-1_pool',
      issuer: 'http://localhost/identity',
      passwordPolicy: policy,
    });
  const call = async (pool: UserPool, action: string, more: object = {}) => {
    const { status, body } = await pool.handleAws(action, { UserPoolId: 'us-east-1_pool', ...more });
    return { status, body: body as Record<string, unknown> };
  };

  test('adds a user, gives a password, lists and removes them', async () => {
    const pool = await aPool();
    const created = await call(pool, 'AdminCreateUser', { Username: 'alice', MessageAction: 'SUPPRESS' });
    expect(created.body).toEqual({
      User: {
        Username: 'alice',
        Attributes: [{ Name: 'sub', Value: expect.stringMatching(/^[0-9a-f-]{36}$/) }],
        Enabled: true,
        UserCreateDate: expect.any(Number),
        UserLastModifiedDate: expect.any(Number),
        UserStatus: 'FORCE_CHANGE_PASSWORD',
      },
    });
    const password = { Username: 'alice', Password: 'Aa1-Aa1-Aa1-', Permanent: true };
    expect(await call(pool, 'AdminSetUserPassword', password)).toEqual({ status: 200, body: {} });
    expect(await call(pool, 'ListUsers')).toMatchObject({
      body: { Users: [{ Username: 'alice', UserStatus: 'CONFIRMED' }] },
    });
    expect(await call(pool, 'AdminDeleteUser', { Username: 'alice' })).toEqual({ status: 200, body: {} });
    expect(await call(pool, 'ListUsers')).toEqual({ status: 200, body: { Users: [] } });
  });

  test('sees every user once, page by page', async () => {
    const pool = await aPool();
    const names = Array.from({ length: 7 }, (_, number) => `user-${number}`);
    for (const Username of names) await call(pool, 'AdminCreateUser', { Username });
    const seen: unknown[] = [];
    let PaginationToken: unknown;
    do {
      const { body } = await call(pool, 'ListUsers', { Limit: 3, PaginationToken });
      seen.push(...(body['Users'] as { Username: string }[]).map(({ Username }) => Username));
      ({ PaginationToken } = body);
    } while (PaginationToken !== undefined);
    expect(seen).toEqual(names);
  });

  test.each([
    ['UsernameExistsException', 'AdminCreateUser', { Username: 'Alice' }],
    ['InvalidParameterException', 'AdminCreateUser', { Username: 'with space' }],
    ['InvalidParameterException', 'AdminCreateUser', {}],
    ['InvalidPasswordException', 'AdminCreateUser', { Username: 'bob', TemporaryPassword: 'short' }],
    ['UserNotFoundException', 'AdminSetUserPassword', { Username: 'bob', Password: 'Aa1-Aa1-Aa1-' }],
    ['UserNotFoundException', 'AdminDeleteUser', { Username: 'bob' }],
    ['InvalidParameterException', 'ListUsers', { Limit: 61 }],
    ...['Aa1-Aa1-Aa1', 'AA1-AA1-AA1-', 'aa1-aa1-aa1-', 'Aaa-Aaa-Aaa-', 'Aa1aAa1aAa1a'].map(
      (Password) =>
        ['InvalidPasswordException', 'AdminSetUserPassword', { Username: 'alice', Password }] as const,
    ),
  ])('is refused with %s: %s %j', async (type, action, request) => {
    const pool = await aPool();
    await call(pool, 'AdminCreateUser', { Username: 'alice' });
    const { status, body } = await call(pool, action, request);
    expect([status, body['__type']]).toEqual([400, type]);
  });
});
