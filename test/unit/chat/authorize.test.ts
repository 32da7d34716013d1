import { describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { authorizeConnection, type AuthorizerServices } from '../../../lambda/chat/devices/authorize.ts';
import { captureLog } from '../shared/captured-log.ts';

/** Goal: only an access token of a chat user opens a connection. Method: tokens signed here, each wrong in one way. */

const issuer = 'https://issuer.example/pool';
const methodArn = 'arn:aws:execute-api:us-east-1:000000000000:api/live/$connect';

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let keys: { readonly own: Key; readonly foreign: Key };

const [own, foreign] = [
  await generateKeyPair('RS256', { extractable: true }),
  await generateKeyPair('RS256', { extractable: true }),
];
keys = { own: own.privateKey, foreign: foreign.privateKey };
const jwk = { ...(await exportJWK(own.publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' };
const services = { issuer, chatClientId: 'chat', keys: createLocalJWKSet({ keys: [jwk] }) };

async function token(
  claims: Readonly<Record<string, unknown>> = {},
  { key = keys.own, kid = 'key-1', expiresIn = 3600 } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: issuer,
    token_use: 'access',
    client_id: 'chat',
    username: 'ada',
    scope: 'aws.cognito.signin.user.admin',
    iat: now,
    exp: now + expiresIn,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid })
    .sign(key);
}

async function authorize(text: string | undefined, changes: Partial<AuthorizerServices> = {}) {
  const event = {
    type: 'REQUEST',
    methodArn,
    ...(text === undefined ? {} : { queryStringParameters: { token: text } }),
  };
  return (await captureLog(() => authorizeConnection(event, { ...services, ...changes }))).result;
}

it('an access token of a chat user opens a connection, which knows the user from then on', async () => {
  expect(await authorize(await token())).toEqual({
    principalId: 'ada',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
    },
    context: { userId: 'ada' },
  });
});

describe('unauthorized is', () => {
  const wrong: Readonly<Record<string, () => Promise<string | undefined>>> = {
    'no token': async () => Promise.resolve(undefined),
    'an empty token': async () => Promise.resolve(''),
    'something else': async () => Promise.resolve('a.b.c'),
    'an ID token': async () => token({ token_use: 'id', aud: 'chat' }),
    'a token of another client': async () => token({ client_id: 'gateway' }),
    'a token of another issuer': async () => token({ iss: 'https://else.example' }),
    'a token without a user': async () => token({ username: undefined }),
    'a token of a user with a strange name': async () => token({ username: 'Ada Lovelace' }),
    'a token without the scope': async () => token({ scope: 'openid' }),
    'a token that has expired': async () => token({}, { expiresIn: -1 }),
    'a token that never expires': async () => token({ exp: undefined }),
    'a token that is not valid yet': async () => token({ nbf: Math.floor(Date.now() / 1000) + 600 }),
    'a token signed by another key': async () => token({}, { key: keys.foreign }),
    'a token of an unknown key': async () => token({}, { kid: 'key-2' }),
    'a token without a signature': async () => `${(await token()).split('.').slice(0, 2).join('.')}.`,
    'a token that calls itself unsigned': async () => {
      const [, payload] = (await token()).split('.');
      return `${Buffer.from('{"alg":"none","kid":"key-1"}').toString('base64url')}.${payload}.`;
    },
    'a token signed with the public key as a secret': async () => {
      const secret = new TextEncoder().encode('a public key, as text, that everybody has');
      return new SignJWT({ iss: issuer, token_use: 'access', client_id: 'chat', username: 'ada' })
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .setExpirationTime('1h')
        .sign(secret);
    },
  };

  it.each(Object.keys(wrong))('%s', async (what) => {
    await expect(authorize(await wrong[what]?.())).rejects.toThrow(/^Unauthorized$/);
  });

  it('not a token that could not be checked: the issuer did not answer', async () => {
    const failing = async (): Promise<never> => Promise.reject(new TypeError('fetch failed'));
    await expect(authorize(await token(), { keys: failing })).rejects.toThrow('fetch failed');
  });
});
