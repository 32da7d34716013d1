import { describe, expect, jest, test } from '@jest/globals';
import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { createJwtAuthorizer } from '../../../local/api-gateway/jwt-authorizer.ts';

const issuer = 'https://issuer.example';
const startSeconds = 1_800_000_000;
const routeScopes = ['cards/write', 'cards/admin'];

let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

const pair = await generateKeyPair('RS256');
({ privateKey } = pair);
const keys = createLocalJWKSet({
  keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'key-1', alg: 'RS256' }],
});

function claimsWith(overrides: Readonly<Record<string, unknown>> = {}): JWTPayload {
  return {
    iss: issuer,
    client_id: 'gateway',
    scope: 'other cards/write',
    iat: startSeconds - 10,
    exp: startSeconds + 60,
    ...overrides,
  };
}

async function sign(claims: JWTPayload, header: { kid?: string } = { kid: 'key-1' }): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ ...header, alg: 'RS256' }).sign(privateKey);
}

function anAuthorizer() {
  let seconds = startSeconds;
  const getKey = jest.fn<JWTVerifyGetKey>(async (...parameters) => keys(...parameters));
  const authorize = createJwtAuthorizer({
    issuer,
    audience: ['gateway', 'operator'],
    keysOf: () => getKey,
    now: () => new Date(seconds * 1000),
  });
  return { authorize, getKey, pass: (elapsed: number) => void (seconds += elapsed) };
}

async function decide(claims: JWTPayload, scopes: readonly string[] = routeScopes) {
  return anAuthorizer().authorize(`Bearer ${await sign(claims)}`, scopes);
}

const denied401 = { kind: 'denied', status: 401 };

describe('a token is accepted', () => {
  test.each(['Bearer ', 'bearer ', ''])('after "%s"', async (prefix) => {
    const { authorize } = anAuthorizer();
    await expect(authorize(prefix + (await sign(claimsWith())), routeScopes)).resolves.toMatchObject({
      kind: 'allowed',
    });
  });

  test('for its aud, and for its client_id only without aud', async () => {
    const allowed = { kind: 'allowed' };
    await expect(decide(claimsWith({ aud: 'operator' }))).resolves.toMatchObject(allowed);
    await expect(decide(claimsWith({ aud: ['x', 'operator'], client_id: 'x' }))).resolves.toMatchObject(
      allowed,
    );
    await expect(decide(claimsWith({ aud: 'x' }))).resolves.toMatchObject(denied401);
    await expect(decide(claimsWith({ client_id: 'x' }))).resolves.toMatchObject(denied401);
    await expect(decide(claimsWith({ client_id: undefined }))).resolves.toMatchObject(denied401);
  });

  test("with one of the route's scopes in scope or scp", async () => {
    const { scope: _scope, ...bare } = claimsWith();
    const allowed = { kind: 'allowed' };
    await expect(decide({ ...bare, scp: 'cards/admin' })).resolves.toMatchObject(allowed);
    await expect(decide({ ...bare, scp: ['x', 'cards/admin'] })).resolves.toMatchObject(allowed);
    const refusal = await decide({ ...bare, scope: 'cards/writer' });
    expect(refusal).toMatchObject({ kind: 'denied', status: 403 });
    expect(refusal).toMatchObject({ wwwAuthenticate: expect.stringContaining('insufficient_scope') });
  });

  test('without any scope where the route has none', async () => {
    await expect(decide(claimsWith({ scope: undefined, token_use: 'id' }), [])).resolves.toMatchObject({
      kind: 'allowed',
    });
  });

  test('and its claims are handed on as text', async () => {
    const claims = claimsWith({ groups: ['a', 'b'], version: 2, verified: true });
    await expect(decide(claims)).resolves.toStrictEqual({
      kind: 'allowed',
      claims: {
        iss: issuer,
        client_id: 'gateway',
        scope: 'other cards/write',
        iat: String(startSeconds - 10),
        exp: String(startSeconds + 60),
        groups: '[a b]',
        version: '2',
        verified: 'true',
      },
    });
  });
});

describe('a token is refused', () => {
  test.each([undefined, '', 'Bearer ', '   '])('when it is missing (%p)', (header) => {
    expect(anAuthorizer().authorize(header, routeScopes)).toStrictEqual({
      ...denied401,
      wwwAuthenticate: 'Bearer',
    });
  });

  test.each(['Bearer x', 'Basic Z2F0ZXdheTpz', 'Bearer a.b.c', 'Bearer e30.e30.e30', 'Bearer ....'])(
    'when it is no token (%s)',
    async (header) => {
      await expect(anAuthorizer().authorize(header, routeScopes)).resolves.toMatchObject(denied401);
    },
  );

  test.each([
    ['expired', { exp: startSeconds }],
    ['without exp', { exp: undefined }],
    ['not valid yet', { nbf: startSeconds + 5 }],
    ['issued in the future', { iat: startSeconds + 5 }],
    ["another issuer's", { iss: `${issuer}/` }],
    ['without iss', { iss: undefined }],
  ])('when it is %s', async (_why, claims) => {
    await expect(decide(claimsWith(claims))).resolves.toMatchObject({
      ...denied401,
      wwwAuthenticate: expect.stringMatching(
        /^Bearer scope="cards\/write cards\/admin" error="invalid_token" error_description=".+"$/,
      ),
    });
  });

  test('when it names no key, or an unknown one', async () => {
    const { authorize } = anAuthorizer();
    await expect(authorize(await sign(claimsWith(), {}), routeScopes)).resolves.toMatchObject(denied401);
    await expect(authorize(await sign(claimsWith(), { kid: 'x' }), routeScopes)).resolves.toMatchObject(
      denied401,
    );
  });

  test('when it was changed, or signed by another key, or not by RSA', async () => {
    const { authorize } = anAuthorizer();
    const [header, , signature] = (await sign(claimsWith({ scope: 'x' }))).split('.');
    const body = Buffer.from(JSON.stringify(claimsWith())).toString('base64url');
    const other = await generateKeyPair('RS256');
    const stranger = new SignJWT(claimsWith()).setProtectedHeader({ alg: 'RS256', kid: 'key-1' });
    const symmetric = new SignJWT(claimsWith()).setProtectedHeader({ alg: 'HS256', kid: 'key-1' });
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'key-1' })).toString('base64url');
    const tokens = [
      `${header}.${body}.${signature}`,
      await stranger.sign(other.privateKey),
      await symmetric.sign(new Uint8Array(32)),
      `${none}.${body}.`,
    ];
    const decisions = await Promise.all(
      tokens.map(async (token) => authorize(`Bearer ${token}`, routeScopes)),
    );
    expect(decisions).toMatchObject(tokens.map(() => denied401));
  });

  test('when the issuer does not answer, until it does', async () => {
    let reachable = false;
    const authorize = createJwtAuthorizer({
      issuer,
      audience: ['gateway'],
      keysOf: () => (reachable ? keys : Promise.reject(new Error('connection refused'))),
      now: () => new Date(startSeconds * 1000),
    });
    const token = await sign(claimsWith());
    await expect(authorize(token, routeScopes)).resolves.toMatchObject(denied401);
    reachable = true;
    await expect(authorize(token, routeScopes)).resolves.toMatchObject({ kind: 'allowed' });
  });
});

describe('a verified token', () => {
  test('is not verified again, until it expires; scopes are checked every time', async () => {
    const { authorize, getKey, pass } = anAuthorizer();
    const token = await sign(claimsWith());
    await authorize(token, routeScopes);
    expect(authorize(token, routeScopes)).toMatchObject({ kind: 'allowed' });
    expect(authorize(token, ['cards/read'])).toMatchObject({ kind: 'denied', status: 403 });
    expect(getKey).toHaveBeenCalledTimes(1);
    pass(60);
    expect(authorize(token, routeScopes)).toMatchObject(denied401);
  });

  test('that was refused for its scope is remembered too, a forged one never', async () => {
    const { authorize, getKey } = anAuthorizer();
    const token = await sign(claimsWith({ scope: 'x' }));
    await authorize(token, routeScopes);
    expect(authorize(token, routeScopes)).toMatchObject({ status: 403 });
    await authorize(`${token}x`, routeScopes);
    expect(authorize(`${token}x`, routeScopes)).toBeInstanceOf(Promise);
    expect(getKey.mock.calls.length).toBeGreaterThanOrEqual(2);
  });
});
