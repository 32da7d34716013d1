import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import * as v from 'valibot';
import { logger } from '../../shared/log.ts';
import { parseWritten } from '../../shared/parse.ts';
import { chatScope } from '../contract.ts';
import { USER_ID } from '../domain/identifiers.ts';

export interface AuthorizerServices {
  /** Exact value of the tokens' `iss`. */
  readonly issuer: string;
  readonly chatClientId: string;
  readonly keys: JWTVerifyGetKey;
}

const AuthorizerEvent = v.object({
  methodArn: v.string(),
  queryStringParameters: v.nullish(v.record(v.string(), v.optional(v.string()))),
});

const AccessTokenClaims = v.object({
  token_use: v.literal('access'),
  client_id: v.string(),
  username: v.pipe(v.string(), v.regex(USER_ID)),
  scope: v.string(),
  exp: v.number(),
});

/** Every later event of the connection has the `context`. */
export interface ConnectionGrant {
  readonly principalId: string;
  readonly policyDocument: {
    readonly Version: '2012-10-17';
    readonly Statement: readonly [
      { readonly Action: 'execute-api:Invoke'; readonly Effect: 'Allow'; readonly Resource: string },
    ];
  };
  readonly context: { readonly userId: string };
}

/**
 * Takes an access token from the query parameter `token`, because browsers cannot set headers of a WebSocket. It
 * refuses ID tokens, and tokens of other clients or issuers.
 * @throws Error `Unauthorized`, which API Gateway answers with 401; any other error becomes a 500
 */
export async function authorizeConnection(
  event: unknown,
  services: AuthorizerServices,
): Promise<ConnectionGrant> {
  const { methodArn, queryStringParameters } = parseWritten(AuthorizerEvent, event);
  const userId = await userOfToken(queryStringParameters?.['token'] ?? '', services);
  return {
    principalId: userId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
    },
    context: { userId },
  };
}

async function userOfToken(
  token: string,
  { issuer, chatClientId, keys }: AuthorizerServices,
): Promise<string> {
  try {
    const { payload } = await jwtVerify(token, keys, { issuer, algorithms: ['RS256'] });
    const claims = v.safeParse(AccessTokenClaims, payload);
    if (!claims.success) throw unauthorized('claims');
    const { client_id: clientId, username, scope } = claims.output;
    if (clientId !== chatClientId || !scope.split(' ').includes(chatScope)) throw unauthorized('client');
    return username;
  } catch (error) {
    // Without the issuer's keys, nobody knows whether the token is good.
    const isIssuersFault = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
    if (!isIssuersFault && error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') {
      throw unauthorized(error.code);
    }
    throw error;
  }
}

function unauthorized(reason: string): Error {
  logger.info('connection refused', { reason });
  return new Error('Unauthorized');
}
