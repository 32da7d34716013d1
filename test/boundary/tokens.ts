import { randomUUID } from 'node:crypto';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, importJWK } from 'jose';
import type { JWK, JWTHeaderParameters, JWTPayload } from 'jose';
import type { System } from '../end-to-end/system.ts';

/** Access tokens as the issuer would sign them, and as anybody else would. */
export interface Mint {
  /** Claims of an access token that the API of a stack accepts, with these scopes. */
  readonly claims: (stackName: string, scopes: readonly string[], changes?: JWTPayload) => JWTPayload;
  readonly sign: (claims: JWTPayload, header?: { readonly kid?: string }) => Promise<string>;
  readonly signAsOther: (
    claims: JWTPayload,
    header?: Partial<JWTHeaderParameters>,
    algorithm?: ForeignAlgorithm,
  ) => Promise<string>;
  /** HMAC with something public in the place of the secret. */
  readonly signWithPublicKey: (claims: JWTPayload, form: 'PEM' | 'JWK' | 'modulus') => Promise<string>;
  readonly kid: string;
  /** Where a forged token says that its key can be had. */
  readonly elsewhere: string;
}

type ForeignAlgorithm = 'RS256' | 'PS256' | 'ES256';

export async function createMint(system: System, elsewhere = 'http://localhost:1/keys.json'): Promise<Mint> {
  const { GatewayClientId, ChatClientId } = system.outputs.DuotempoIdentity;
  const [pool] = system.host.userPools;
  if (pool === undefined) throw new Error('The app has no issuer.');
  const [key] = await publicKeys(pool.issuer);
  if (key?.kid === undefined) throw new Error('The issuer publishes no key.');
  const { kid } = key;
  const pem = await exportSPKI(await rsaKey(key));
  const others = {
    RS256: await generateKeyPair('RS256'),
    PS256: await generateKeyPair('PS256'),
    ES256: await generateKeyPair('ES256'),
  };
  return {
    kid,
    elsewhere,
    claims: (stackName, scopes, changes = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const isChat = stackName === 'DuotempoChat';
      return {
        sub: randomUUID(),
        iss: pool.issuer,
        iat: now,
        exp: now + 3600,
        jti: randomUUID(),
        token_use: 'access',
        scope: scopes.join(' '),
        client_id: isChat ? ChatClientId : GatewayClientId,
        ...(isChat ? { username: 'mallory' } : {}),
        ...changes,
      };
    },
    sign: pool.signForTest,
    signAsOther: async (claims, header = { kid }, algorithm = 'RS256') => {
      const { privateKey, publicKey } = others[algorithm];
      // A header that brings its own key must not be believed.
      const jwk = header.jwk === undefined ? {} : { jwk: await exportJWK(publicKey) };
      return new SignJWT(claims).setProtectedHeader({ ...header, ...jwk, alg: algorithm }).sign(privateKey);
    },
    signWithPublicKey: async (claims, form) => {
      const secret = { PEM: pem, JWK: JSON.stringify(key), modulus: key.n ?? '' }[form];
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid, typ: 'JWT' })
        .sign(new TextEncoder().encode(secret));
    },
  };
}

function unsigned(header: Readonly<Record<string, unknown>>, claims: JWTPayload, signature = ''): string {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, signature].join('.');
}

function withClaims(token: string, changes: JWTPayload): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JWTPayload;
  const changed = Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url');
  return [header, changed, signature].join('.');
}

function withOtherSignature(token: string): string {
  const place = token.lastIndexOf('.') + 10;
  return `${token.slice(0, place)}${token[place] === 'A' ? 'B' : 'A'}${token.slice(place + 1)}`;
}

async function publicKeys(issuer: string): Promise<JWK[]> {
  const response = await fetch(`${issuer}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { keys: JWK[] };
  return keys;
}

async function rsaKey(jwk: JWK) {
  const key = await importJWK(jwk, 'RS256', { extractable: true });
  if (key instanceof Uint8Array) throw new Error('The issuer signs with a secret.');
  return key;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** What may stand in the place of a good token. Claims are good unless a case changes them. */
type TokenCase = (mint: Mint, claims: JWTPayload) => string | Promise<string>;

export const badTokens: Readonly<Record<string, TokenCase>> = {
  garbage: () => 'garbage',
  'three dots': () => '...',
  'a token of empty parts': () => '..',
  'a token of parts that are no JSON': () => 'eA.eA.eA',
  'a token of 8,000 characters': () => 'e'.repeat(8000),
  'an expired token': async (mint, claims) =>
    mint.sign({ ...claims, iat: seconds() - 7200, exp: seconds() - 1 }),
  'a token that expires as text': async (mint, claims) =>
    mint.sign({ ...claims, exp: '9999999999' } as unknown as JWTPayload),
  'a token that does not expire': async (mint, claims) => {
    const { exp: _, ...rest } = claims;
    return mint.sign(rest);
  },
  'a token that is not yet valid': async (mint, claims) => mint.sign({ ...claims, nbf: seconds() + 600 }),
  'a token of another issuer under our key': async (mint, claims) =>
    mint.sign({ ...claims, iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other' }),
  'a token of our issuer with a slash': async (mint, claims) =>
    mint.sign({ ...claims, iss: `${claims.iss}/` }),
  'a token without an issuer': async (mint, claims) => {
    const { iss: _, ...rest } = claims;
    return mint.sign(rest);
  },
  'a token for another client': async (mint, claims) => mint.sign({ ...claims, client_id: 'another-client' }),
  'a token for no client': async (mint, claims) => {
    const { client_id: _, ...rest } = claims;
    return mint.sign(rest);
  },
  'a token with alg none': (_, claims) => unsigned({ alg: 'none', typ: 'JWT' }, claims),
  'a token with alg none, and our key id': (mint, claims) => unsigned({ alg: 'none', kid: mint.kid }, claims),
  'a token with alg NoNe, and a signature': (mint, claims) =>
    unsigned({ alg: 'NoNe', kid: mint.kid }, claims, 'AAAA'),
  'a token without an algorithm': (mint, claims) => unsigned({ kid: mint.kid }, claims, 'AAAA'),
  'a token without a signature': async (mint, claims) => (await mint.sign(claims)).replace(/[^.]*$/, ''),
  'a token with a bit of its signature changed': async (mint, claims) =>
    withOtherSignature(await mint.sign(claims)),
  'a token with other claims under its signature': async (mint, claims) =>
    withClaims(await mint.sign({ ...claims, scope: '' }), { scope: claims['scope'] }),
  'a token with a part too many': async (mint, claims) => `${await mint.sign(claims)}.e30`,
  'a token signed with the public key as a secret (PEM)': async (mint, claims) =>
    mint.signWithPublicKey(claims, 'PEM'),
  'a token signed with the public key as a secret (JWK)': async (mint, claims) =>
    mint.signWithPublicKey(claims, 'JWK'),
  'a token signed with the modulus as a secret': async (mint, claims) =>
    mint.signWithPublicKey(claims, 'modulus'),
  'a token of another key under our key id': async (mint, claims) => mint.signAsOther(claims),
  'a token of another key with an unknown key id': async (mint, claims) =>
    mint.signAsOther(claims, { kid: 'unknown' }),
  'a token of another key that it brings along': async (mint, claims) =>
    mint.signAsOther(claims, { kid: mint.kid, jwk: {} }),
  'a token that says where its key is': async (mint, claims) => {
    const place = mint.elsewhere;
    return mint.signAsOther(claims, { kid: 'theirs', jku: place, x5u: place });
  },
  'a token of an elliptic curve': async (mint, claims) =>
    mint.signAsOther(claims, { kid: mint.kid }, 'ES256'),
  'a token of RSA with PSS': async (mint, claims) => mint.signAsOther(claims, { kid: mint.kid }, 'PS256'),
};

/** Refused by HTTP APIs; a Lambda authorizer is our own, and need not know them. */
export const badForHttp: Readonly<Record<string, TokenCase>> = {
  ...badTokens,
  'a token of the future': async (mint, claims) => mint.sign({ ...claims, iat: seconds() + 600 }),
  'a token without a key id': async (mint, claims) => mint.sign(claims, {}),
  'a token whose audience is another': async (mint, claims) =>
    mint.sign({ ...claims, aud: 'another-client' }),
};
