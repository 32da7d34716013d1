import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageAnswer, readBody, sendAnswer, type HttpAnswer, type MountHandler } from '../http/index.ts';
import { newGatewayId } from './gateway-request.ts';
import { httpEvent } from './http-event.ts';
import { compileRoutes, parseTarget, type HttpTarget, type RouteMatch } from './http-route.ts';
import { within, type Invoke } from './integration.ts';
import { createJwtAuthorizer, type JwtAuthorizer, type KeysOf } from './jwt-authorizer.ts';
import { functionAnswer, INTERNAL_SERVER_ERROR } from './payloads.ts';
import { createTokenBucket, type TakeToken, type ThrottleLimits } from './token-bucket.ts';

export interface HttpApiRoute {
  /** `POST /transactions`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly functionArn: string;
  /** At most 30,000. */
  readonly timeoutMilliseconds: number;
  readonly authorizer?: {
    readonly issuer: string;
    readonly audience: readonly string[];
  };
  /** A token needs one of them. Without scopes any valid token passes, even an ID token. */
  readonly scopes: readonly string[];
}

export interface HttpApiDefinition {
  readonly apiId: string;
  readonly stageName: string;
  /** Each route without limits of its own gets a bucket of this size. */
  readonly throttle?: ThrottleLimits | undefined;
  readonly routeThrottles: Readonly<Record<string, ThrottleLimits>>;
  readonly routes: readonly HttpApiRoute[];
}

export interface HttpApiEvent {
  readonly type: 'http';
  readonly apiId: string;
  readonly method: string;
  readonly path: string;
  readonly routeKey: string | undefined;
  readonly status: number;
  readonly milliseconds: number;
}

export interface HttpApisOptions {
  readonly accountId: string;
  readonly invoke: Invoke;
  readonly keysOf: KeysOf;
  readonly onEvent: (event: HttpApiEvent) => void;
}

interface ServedRoute extends HttpApiRoute {
  readonly takeToken: TakeToken | undefined;
  readonly authorize: JwtAuthorizer | undefined;
}

interface RoutedRequest {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly receivedAt: Date;
  readonly target: HttpTarget & { readonly kind: 'path' };
  readonly match: RouteMatch<ServedRoute>;
}

/** The request line and all headers together. */
const MAXIMUM_HEADER_BYTES = 10_240;

const BAD_REQUEST = messageAnswer(400);
const NOT_FOUND = messageAnswer(404);
const TOO_LARGE = messageAnswer(413, 'Request Entity Too Large');
const TOO_MANY_REQUESTS = messageAnswer(429);
const HEADERS_TOO_LARGE = messageAnswer(431);
const SERVICE_UNAVAILABLE = messageAnswer(503);

/** Routes with the same issuer and audience share one authorizer and its verified tokens. */
export function createHttpApis(options: HttpApisOptions): (definition: HttpApiDefinition) => MountHandler {
  const authorizers = new Map<string, JwtAuthorizer>();
  const authorizerOf = (route: HttpApiRoute): JwtAuthorizer | undefined => {
    if (route.authorizer === undefined) return undefined;
    const { issuer, audience } = route.authorizer;
    const key = JSON.stringify([issuer, audience]);
    const { keysOf } = options;
    const authorizer = authorizers.get(key) ?? createJwtAuthorizer({ issuer, audience, keysOf });
    authorizers.set(key, authorizer);
    return authorizer;
  };
  return (definition) => {
    const routes = definition.routes.map((route): ServedRoute => {
      const limits = definition.routeThrottles[route.routeKey] ?? definition.throttle;
      return { ...route, takeToken: limits && createTokenBucket(limits), authorize: authorizerOf(route) };
    });
    return serveApi(options, definition, routes);
  };
}

function serveApi(
  options: HttpApisOptions,
  definition: HttpApiDefinition,
  routes: readonly ServedRoute[],
): MountHandler {
  const { apiId, stageName } = definition;
  const matchRoute = compileRoutes(routes);
  return (request, response, path) => {
    const startedAt = performance.now();
    const receivedAt = new Date();
    const requestId = newGatewayId('base64');
    const method = request.method ?? '';
    const target = parseTarget(path, stageName);
    const send = (answer: HttpAnswer, routeKey?: string): void => {
      const status = sendOrFail(response, answer, requestId);
      options.onEvent({
        type: 'http',
        apiId,
        method,
        path: target.kind === 'path' ? target.rawPath : path,
        routeKey,
        status,
        milliseconds: performance.now() - startedAt,
      });
    };
    if (headerBytes(request) > MAXIMUM_HEADER_BYTES) return send(HEADERS_TOO_LARGE);
    if (target.kind === 'malformed') return send(BAD_REQUEST);
    const match = target.kind === 'path' ? matchRoute(method, target.path) : undefined;
    if (target.kind === 'other-stage' || match === undefined) return send(NOT_FOUND);
    const { routeKey } = match.route;
    integrate(options, definition, { request, requestId, receivedAt, target, match }).then(
      (answer) => answer && send(answer, routeKey),
      () => send(INTERNAL_SERVER_ERROR, routeKey),
    );
  };
}

/** @returns undefined where the client has left */
async function integrate(
  { accountId, invoke }: HttpApisOptions,
  { apiId, stageName }: HttpApiDefinition,
  { request, requestId, receivedAt, target, match }: RoutedRequest,
): Promise<HttpAnswer | undefined> {
  const { route, pathParameters } = match;
  const { routeKey, scopes, functionArn, timeoutMilliseconds } = route;
  if (route.takeToken?.() === false) return TOO_MANY_REQUESTS;
  const decided = route.authorize?.(request.headers.authorization, scopes);
  const authorization = decided instanceof Promise ? await decided : decided;
  if (authorization?.kind === 'denied') {
    const { status, wwwAuthenticate } = authorization;
    return messageAnswer(status, undefined, [['www-authenticate', wwwAuthenticate]]);
  }
  const body = await readBody(request);
  if (body === 'aborted') return undefined;
  if (body === 'too-large') return TOO_LARGE;
  const event = httpEvent(request, body, {
    accountId,
    apiId,
    stageName,
    routeKey,
    requestId,
    rawPath: target.rawPath,
    rawQueryString: target.rawQueryString,
    pathParameters,
    jwt: authorization && { claims: authorization.claims, scopes: scopes.length > 0 ? scopes : null },
    receivedAt,
  });
  const source = `${apiId}/${stageName}/${routeSource(routeKey, request.method)}`;
  const invocation = await within(timeoutMilliseconds, invoke(functionArn, event, source));
  if (invocation === undefined || invocation.kind === 'throttled') return SERVICE_UNAVAILABLE;
  if (invocation.kind === 'success') return functionAnswer(invocation.payload);
  return invocation.errorType === 'RequestTooLargeException' ? TOO_LARGE : INTERNAL_SERVER_ERROR;
}

function sendOrFail(response: ServerResponse, answer: HttpAnswer, requestId: string): number {
  const extraHeaders = [['apigw-requestid', requestId]] as const;
  try {
    sendAnswer(response, answer, extraHeaders);
    return answer.status;
  } catch {
    sendAnswer(response, INTERNAL_SERVER_ERROR, extraHeaders);
    return INTERNAL_SERVER_ERROR.status;
  }
}

/** A route as ARNs write it: `POST/transactions`. */
function routeSource(routeKey: string, method = ''): string {
  return routeKey.replace(/^ANY /, `${method} `).replace(' ', '');
}

function headerBytes(request: IncomingMessage): number {
  const texts = [request.method ?? '', request.url ?? '', ...request.rawHeaders];
  return texts.reduce((bytes, text) => bytes + text.length, 0);
}
