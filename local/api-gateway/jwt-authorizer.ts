import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

export type KeysOf = (issuer: string) => JWTVerifyGetKey | Promise<JWTVerifyGetKey>;

type Authorization =
  /** Claims as API Gateway passes them on: text, and lists as `[a b]`. */
  | { readonly kind: 'allowed'; readonly claims: Readonly<Record<string, string>> }
  | { readonly kind: 'denied'; readonly status: 401 | 403; readonly wwwAuthenticate: string };

/** Every request passes here, so a token that is verified already gets its answer without a promise. */
export type JwtAuthorizer = (
  authorizationHeader: string | undefined,
  routeScopes: readonly string[],
) => Authorization | Promise<Authorization>;

export interface JwtAuthorizerOptions {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keysOf: KeysOf;
  readonly now?: () => Date;
}

interface VerifiedToken {
  readonly claims: Readonly<Record<string, string>>;
  readonly scopes: ReadonlySet<string>;
  readonly expiresAtSeconds: number;
}

/** HTTP APIs support RSA alone. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512'];
const MAXIMUM_CACHED_TOKENS = 1000;

/** Its message goes into the `error_description`. */
class RefusedToken extends Error {}

/** Checks signature, `kid`, `iss`, `aud` or else `client_id`, `exp`, `nbf`, `iat`, and scopes in `scope` or `scp`. */
export function createJwtAuthorizer(options: JwtAuthorizerOptions): JwtAuthorizer {
  const now = options.now ?? (() => new Date());
  const cache = new Map<string, VerifiedToken>();
  let keys: JWTVerifyGetKey | undefined;

  function remember(token: string, verified: VerifiedToken): void {
    cache.delete(token);
    cache.set(token, verified);
    const [oldest] = cache.size > MAXIMUM_CACHED_TOKENS ? cache.keys() : [];
    if (oldest !== undefined) cache.delete(oldest);
  }

  async function verify(token: string): Promise<VerifiedToken> {
    if (decodeProtectedHeader(token).kid === undefined) throw new RefusedToken('the token has no kid');
    keys ??= await options.keysOf(options.issuer);
    const currentDate = now();
    const { payload } = await jwtVerify(token, keys, {
      issuer: options.issuer,
      algorithms: ALGORITHMS,
      currentDate,
    });
    checkAudience(payload, options.audience);
    if (payload.exp === undefined) throw new RefusedToken('the token does not expire');
    if (payload.iat !== undefined && payload.iat > Math.floor(currentDate.getTime() / 1000)) {
      throw new RefusedToken('the token was issued in the future');
    }
    return { claims: claimTexts(payload), scopes: scopesOf(payload), expiresAtSeconds: payload.exp };
  }

  async function verifyAndDecide(token: string, routeScopes: readonly string[]): Promise<Authorization> {
    try {
      const verified = await verify(token);
      remember(token, verified);
      return decide(verified, routeScopes);
    } catch (error) {
      return refuse(routeScopes, 'invalid_token', descriptionOf(error));
    }
  }

  return (authorizationHeader, routeScopes) => {
    const token = (authorizationHeader ?? '').replace(/^bearer\s+/i, '').trim();
    if (token === '') return { kind: 'denied', status: 401, wwwAuthenticate: 'Bearer' };
    const verified = cache.get(token);
    if (verified === undefined) return verifyAndDecide(token, routeScopes);
    if (now().getTime() / 1000 >= verified.expiresAtSeconds) {
      cache.delete(token);
      return refuse(routeScopes, 'invalid_token', 'the token has expired');
    }
    remember(token, verified);
    return decide(verified, routeScopes);
  };
}

function decide(verified: VerifiedToken, routeScopes: readonly string[]): Authorization {
  if (routeScopes.length === 0 || routeScopes.some((scope) => verified.scopes.has(scope))) {
    return { kind: 'allowed', claims: verified.claims };
  }
  return refuse(routeScopes, 'insufficient_scope', "the token has none of the route's scopes");
}

function refuse(
  routeScopes: readonly string[],
  error: 'invalid_token' | 'insufficient_scope',
  description: string,
): Authorization {
  const scope = routeScopes.join(' ');
  return {
    kind: 'denied',
    status: error === 'invalid_token' ? 401 : 403,
    wwwAuthenticate: `Bearer scope="${scope}" error="${error}" error_description="${description}"`,
  };
}

function descriptionOf(error: unknown): string {
  if (error instanceof RefusedToken) return error.message;
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the token has an invalid ${error.claim} claim`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the signing method is invalid';
  if (error instanceof errors.JWKSNoMatchingKey) return 'unable to find the public key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature is invalid';
  if (error instanceof errors.JOSEError || error instanceof TypeError) return 'the token is malformed';
  return 'OIDC discovery endpoint communication error';
}

function checkAudience(payload: JWTPayload, audience: readonly string[]): void {
  const candidates = payload.aud ?? payload['client_id'];
  const values: unknown[] = Array.isArray(candidates) ? candidates : [candidates];
  if (!values.some((value) => typeof value === 'string' && audience.includes(value))) {
    throw new RefusedToken('the token does not have a valid audience');
  }
}

function scopesOf(payload: JWTPayload): Set<string> {
  const scopes = new Set<string>();
  for (const claim of [payload['scope'], payload['scp']]) {
    const values: unknown[] = Array.isArray(claim)
      ? claim
      : typeof claim === 'string'
        ? claim.split(' ')
        : [];
    for (const value of values) if (typeof value === 'string' && value !== '') scopes.add(value);
  }
  return scopes;
}

function claimTexts(payload: JWTPayload): Record<string, string> {
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, claimText(value)]));
}

/** API Gateway passes on lists and maps as Go prints them. */
function claimText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(claimText).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `map[${entries.map(([name, entry]) => `${name}:${claimText(entry)}`).join(' ')}]`;
  }
  return String(value);
}
