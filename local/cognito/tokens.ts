import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { UserPoolClientDefinition } from './client.ts';

/** Password sign-in yields no other scope. */
const SIGN_IN_SCOPE = 'aws.cognito.signin.user.admin';

interface UserTokens {
  readonly accessToken: string;
  readonly idToken: string;
}

export interface TokenSigner {
  readonly jwks: JSONWebKeySet;
  readonly keys: JWTVerifyGetKey;
  /** A client-credentials token identifies the client and has no `aud`. */
  signClientToken(client: UserPoolClientDefinition, scopes: readonly string[]): Promise<string>;
  signUserTokens(client: UserPoolClientDefinition, userName: string): Promise<UserTokens>;
  /** For tests of tokens that must be refused. */
  signClaims(claims: JWTPayload, header?: { readonly kid?: string }): Promise<string>;
}

export async function createTokenSigner(userPoolId: string, issuer: string): Promise<TokenSigner> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const kid = randomBytes(32).toString('base64');
  const jwks: JSONWebKeySet = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }] };

  const signClaims: TokenSigner['signClaims'] = (claims, header = { kid }) =>
    new SignJWT(claims).setProtectedHeader({ ...header, alg: 'RS256' }).sign(privateKey);
  const commonClaims = (validitySeconds: number): JWTPayload => {
    const now = Math.floor(Date.now() / 1000);
    return { iss: issuer, auth_time: now, iat: now, exp: now + validitySeconds, jti: randomUUID() };
  };

  return {
    jwks,
    keys: createLocalJWKSet(jwks),
    signClaims,
    signClientToken: async (client, scopes) =>
      signClaims({
        sub: client.clientId,
        token_use: 'access',
        scope: scopes.join(' '),
        ...commonClaims(client.accessTokenValiditySeconds),
        version: 2,
        client_id: client.clientId,
      }),
    signUserTokens: async (client, userName) => {
      const session = {
        sub: userSubject(userPoolId, userName),
        origin_jti: randomUUID(),
        event_id: randomUUID(),
      };
      const [accessToken, idToken] = await Promise.all([
        signClaims({
          ...session,
          ...commonClaims(client.accessTokenValiditySeconds),
          token_use: 'access',
          scope: SIGN_IN_SCOPE,
          client_id: client.clientId,
          username: userName,
        }),
        signClaims({
          ...session,
          ...commonClaims(client.idTokenValiditySeconds),
          token_use: 'id',
          aud: client.clientId,
          'cognito:username': userName,
        }),
      ]);
      return { accessToken, idToken };
    },
  };
}

/** Stays the same over restarts. */
export function userSubject(userPoolId: string, userName: string): string {
  const hash = createHash('sha256').update(`${userPoolId}/${userName}`).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
