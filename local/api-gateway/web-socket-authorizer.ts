import { compileWildcard } from '../iam/index.ts';
import { isJsonList, isJsonObject, textAt, type Json, type JsonObject } from '../template/index.ts';
import type { Invoke } from './integration.ts';
import type { ConnectRequest } from './web-socket-event.ts';

/** A Lambda authorizer of the kind REQUEST, which a WebSocket API can have on `$connect`. */
export interface WebSocketAuthorizer {
  readonly authorizerId: string;
  readonly functionArn: string;
  /** Such as `route.request.querystring.token`. The function is asked only if all of them are there. */
  readonly identitySources: readonly string[];
}

export type WebSocketAuthorization =
  /** `context` goes into every event of the connection. */
  | { readonly kind: 'allowed'; readonly context: JsonObject }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 500; readonly message: string };

const UNAUTHORIZED = { kind: 'refused', status: 401, message: 'Unauthorized' } as const;
const BROKEN = { kind: 'refused', status: 500, message: 'Internal server error' } as const;
const DENIED = {
  kind: 'refused',
  status: 403,
  message: 'User is not authorized to access this resource',
} as const;
const EXPLICITLY_DENIED = { ...DENIED, message: `${DENIED.message} with an explicit deny` } as const;

/**
 * Asks a Lambda authorizer.
 *
 * @param methodArn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/$connect`
 */
export async function authorizeConnection(
  authorizer: WebSocketAuthorizer,
  request: {
    readonly methodArn: string;
    readonly connect: ConnectRequest;
    readonly requestContext: JsonObject;
    readonly invoke: Invoke;
    /** Of the API. */
    readonly apiId: string;
  },
): Promise<WebSocketAuthorization> {
  const { methodArn, connect, requestContext, invoke, apiId } = request;
  const isMissing = (source: string): boolean => (identityAt(source, connect) ?? '') === '';
  if (authorizer.identitySources.some(isMissing)) return UNAUTHORIZED;
  const startedAt = performance.now();
  const invocation = await invoke(
    authorizer.functionArn,
    { type: 'REQUEST', methodArn, ...connect, stageVariables: {}, requestContext },
    `${apiId}/authorizers/${authorizer.authorizerId}`,
  );
  if (invocation.kind === 'error' && invocation.errorMessage === 'Unauthorized') return UNAUTHORIZED;
  if (invocation.kind !== 'success') return BROKEN;
  return decide(invocation.payload, methodArn, Math.round(performance.now() - startedAt));
}

/** Header names ignore case; names of query parameters don't. */
function identityAt(source: string, { headers, queryStringParameters }: ConnectRequest): string | undefined {
  const [, kind, name = ''] = /^route\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (kind === 'querystring') return queryStringParameters?.[name];
  return Object.entries(headers).find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1];
}

function decide(payload: unknown, methodArn: string, integrationLatency: number): WebSocketAuthorization {
  if (!isJsonObject(payload)) return BROKEN;
  const principalId = textAt(payload, 'principalId');
  const policy = payload['policyDocument'];
  const given = payload['context'] ?? {};
  if (principalId === undefined || !isJsonObject(policy) || !isJsonObject(given)) return BROKEN;
  // A context holds texts, numbers and booleans. Functions get them as texts.
  const entries = Object.entries(given).map(
    ([name, value]) => [name, typeof value === 'object' ? undefined : String(value)] as const,
  );
  if (entries.some(([, value]) => value === undefined)) return BROKEN;
  const effects = effectsOn(policy['Statement'] ?? null, methodArn);
  if (effects.has('Deny')) return EXPLICITLY_DENIED;
  if (!effects.has('Allow')) return DENIED;
  const context = Object.fromEntries(entries.map(([name, value = '']) => [name, value]));
  return { kind: 'allowed', context: { ...context, principalId, integrationLatency } };
}

/** The effects of the statements that speak of invoking `methodArn`. */
function effectsOn(statement: Json, methodArn: string): ReadonlySet<string> {
  const statements = (isJsonList(statement) ? statement : [statement]).filter(isJsonObject);
  const speaking = statements.filter(
    ({ Action = null, Resource = null }) =>
      matchesOne(Action, 'execute-api:Invoke', { ignoresCase: true }) && matchesOne(Resource, methodArn),
  );
  return new Set(speaking.flatMap((one) => textAt(one, 'Effect') ?? []));
}

function matchesOne(patterns: Json, text: string, options: { readonly ignoresCase?: boolean } = {}): boolean {
  const list = isJsonList(patterns) ? patterns : [patterns];
  return list.some((pattern) => typeof pattern === 'string' && compileWildcard(pattern, options)(text));
}
