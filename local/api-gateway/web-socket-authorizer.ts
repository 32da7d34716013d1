import type { Invoke } from './integration.ts';
import { authorizerAnswer } from './payloads.ts';
import type { ConnectionIdentity, ConnectRequest } from './web-socket-event.ts';

/** A Lambda authorizer of type REQUEST, on `$connect`. */
export interface WebSocketAuthorizer {
  readonly authorizerId: string;
  readonly functionArn: string;
  /** Such as `route.request.querystring.token`. Without all of them the function is not asked. */
  readonly identitySources: readonly string[];
}

export type WebSocketAuthorization =
  | { readonly kind: 'allowed'; readonly context: NonNullable<ConnectionIdentity['authorizer']> }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 500; readonly message: string };

const UNAUTHORIZED = { kind: 'refused', status: 401, message: 'Unauthorized' } as const;
const BROKEN = { kind: 'refused', status: 500, message: 'Internal server error' } as const;
const DENIED = {
  kind: 'refused',
  status: 403,
  message: 'User is not authorized to access this resource',
} as const;
const EXPLICITLY_DENIED = { ...DENIED, message: `${DENIED.message} with an explicit deny` } as const;

/** @param request with `methodArn` `arn:aws:execute-api:<region>:<account>:<api>/<stage>/$connect` */
export async function authorizeConnection(
  authorizer: WebSocketAuthorizer,
  request: {
    readonly methodArn: string;
    readonly connect: ConnectRequest;
    readonly requestContext: object;
    readonly invoke: Invoke;
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
  const answer = authorizerAnswer(invocation.payload, methodArn);
  if (answer === undefined) return BROKEN;
  if (answer.effects.has('Deny')) return EXPLICITLY_DENIED;
  if (!answer.effects.has('Allow')) return DENIED;
  const integrationLatency = Math.round(performance.now() - startedAt);
  return { kind: 'allowed', context: { ...answer.context, integrationLatency } };
}

/** Header names ignore case; query parameters do not. */
function identityAt(source: string, { headers, queryStringParameters }: ConnectRequest): string | undefined {
  const [, kind, name = ''] = /^route\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (kind === 'querystring') return queryStringParameters?.[name];
  return Object.entries(headers).find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1];
}
