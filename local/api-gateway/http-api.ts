import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HostEvent } from '../events.ts';
import type { Invocation } from '../lambda/index.ts';
import { readBody } from './http-body.ts';
import { httpEvent } from './http-event.ts';
import { sendAnswer, startMountServer, type MountHandler, type UpgradeHandler } from './http-front.ts';
import {
  functionAnswer,
  gatewayAnswer,
  internalServerError,
  serviceUnavailable,
  type HttpAnswer,
} from './http-response.ts';
import { compileRoutes, type RouteMatch } from './http-route.ts';
import { parseTarget } from './http-target.ts';
import { createJwtAuthorizer, type JwksKeyGetter, type JwtAuthorizer } from './jwt-authorizer.ts';
import { createTokenBucket, type TakeToken } from './token-bucket.ts';

export type { JwksKeyGetter } from './jwt-authorizer.ts';

export interface ThrottleLimits {
  /** Requests per second. */
  readonly rateLimit: number;
  readonly burstLimit: number;
}

export interface HttpApiRoute {
  /** `POST /transactions`, `ANY /{proxy+}` or `$default`. */
  readonly routeKey: string;
  readonly functionArn: string;
  /** The integration's timeout, at most 30,000. */
  readonly timeoutMilliseconds: number;
  readonly authorizer?: {
    readonly kind: 'jwt';
    readonly issuer: string;
    readonly audience: readonly string[];
  };
  /** One of them is enough; none: any valid token, an ID token too. */
  readonly scopes: readonly string[];
}

export interface HttpApiDefinition {
  readonly apiId: string;
  /** Where the API is served, such as `/card-settlement`; functions don't see it. */
  readonly prefix: string;
  readonly stageName: string;
  /** The stage's default route settings: every route without its own has a bucket of this size. */
  readonly throttle?: ThrottleLimits;
  /** By route key. */
  readonly routeThrottles: Readonly<Record<string, ThrottleLimits>>;
  readonly routes: readonly HttpApiRoute[];
  /** Not supported: refuse the template that has it. */
  readonly corsConfiguration?: undefined;
}

export interface HttpFront {
  addApi(definition: HttpApiDefinition): void;
  addMount(prefix: string, handler: MountHandler, upgrade?: UpgradeHandler): void;
  readonly url: string;
  stop(): Promise<void>;
}

export interface HttpFrontOptions {
  /** 0 for any. */
  readonly port: number;
  readonly hostname: string;
  /** @param source what follows `arn:aws:execute-api:<region>:<account>:` in the ARN of the route that invokes. */
  readonly invoke: (functionArn: string, event: unknown, source: string) => Promise<Invocation>;
  readonly keysOf: (issuer: string) => Promise<JwksKeyGetter> | JwksKeyGetter;
  readonly accountId: string;
  readonly onEvent: (event: HostEvent) => void;
}

/** A route with what it needs at run time. */
interface ServedRoute extends HttpApiRoute {
  readonly takeToken: TakeToken | undefined;
  readonly authorize: JwtAuthorizer | undefined;
}

/** The request line and all headers together. */
const maximumHeaderBytes = 10_240;

const badRequest = gatewayAnswer(400, 'Bad Request');
const notFound = gatewayAnswer(404, 'Not Found');
const tooLarge = gatewayAnswer(413, 'Request Entity Too Large');
const tooManyRequests = gatewayAnswer(429, 'Too Many Requests');
const headersTooLarge = gatewayAnswer(431, 'Request Header Fields Too Large');

/** Serves HTTP APIs, each under its prefix, and whatever else is mounted, on one port. */
export async function startHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const server = await startMountServer(options.port, options.hostname);
  const authorizers = new Map<string, JwtAuthorizer>();

  /** Routes with the same issuer and audience share one authorizer, and so its verified tokens. */
  function authorizerOf(route: HttpApiRoute): JwtAuthorizer | undefined {
    if (route.authorizer === undefined) return undefined;
    const { issuer, audience } = route.authorizer;
    const key = JSON.stringify([issuer, audience]);
    const authorizer =
      authorizers.get(key) ?? createJwtAuthorizer({ issuer, audience, keysOf: options.keysOf });
    authorizers.set(key, authorizer);
    return authorizer;
  }

  function serve(definition: HttpApiDefinition): MountHandler {
    const routes = definition.routes.map((route): ServedRoute => {
      const limits = definition.routeThrottles[route.routeKey] ?? definition.throttle;
      return {
        ...route,
        takeToken: limits && createTokenBucket(limits),
        authorize: authorizerOf(route),
      };
    });
    const match = compileRoutes(routes);

    return (request, response, target) => {
      const startedAt = performance.now();
      const requestId = newRequestId();
      const receivedAt = new Date();
      const parsed = parseTarget(target, definition.stageName);

      function send(answer: HttpAnswer, route: ServedRoute | undefined): void {
        const extraHeaders = [['apigw-requestid', requestId]] as const;
        let { status } = answer;
        try {
          sendAnswer(response, answer, extraHeaders);
        } catch {
          ({ status } = internalServerError);
          sendAnswer(response, internalServerError, extraHeaders);
        }
        options.onEvent({
          type: 'http',
          apiId: definition.apiId,
          method: request.method ?? '',
          path: parsed.kind === 'path' ? parsed.rawPath : target,
          routeKey: route?.routeKey,
          status,
          milliseconds: performance.now() - startedAt,
        });
      }

      async function integrate(
        { route, pathParameters }: RouteMatch<ServedRoute>,
        { rawPath, rawQueryString }: { readonly rawPath: string; readonly rawQueryString: string },
      ): Promise<HttpAnswer | undefined> {
        if (route.takeToken?.() === false) return tooManyRequests;
        const decided = route.authorize?.(request.headers.authorization, route.scopes);
        const authorization = decided instanceof Promise ? await decided : decided;
        if (authorization?.kind === 'denied') {
          const { status, wwwAuthenticate } = authorization;
          const message = status === 401 ? 'Unauthorized' : 'Forbidden';
          return gatewayAnswer(status, message, [['www-authenticate', wwwAuthenticate]]);
        }
        const body = await readBody(request);
        if (body === 'aborted') return undefined;
        if (body === 'too-large') return tooLarge;
        const event = httpEvent(request, body, {
          accountId: options.accountId,
          apiId: definition.apiId,
          stageName: definition.stageName,
          routeKey: route.routeKey,
          requestId,
          rawPath,
          rawQueryString,
          pathParameters,
          jwt: authorization && {
            claims: authorization.claims,
            scopes: route.scopes.length > 0 ? route.scopes : null,
          },
          receivedAt,
        });
        const source = `${definition.apiId}/${definition.stageName}/${routeSource(route.routeKey, request.method)}`;
        return within(route.timeoutMilliseconds, options.invoke(route.functionArn, event, source));
      }

      if (headerBytes(request) > maximumHeaderBytes) return send(headersTooLarge, undefined);
      if (parsed.kind === 'malformed') return send(badRequest, undefined);
      const found = parsed.kind === 'path' ? match(request.method ?? '', parsed.path) : undefined;
      if (parsed.kind === 'other-stage' || found === undefined) return send(notFound, undefined);
      integrate(found, parsed).then(
        (answer) => answer && send(answer, found.route),
        () => send(internalServerError, found.route),
      );
    };
  }

  return {
    addApi(definition) {
      server.addMount(definition.prefix, serve(definition));
    },
    addMount: (prefix, handler, upgrade) => server.addMount(prefix, handler, upgrade),
    url: server.url,
    stop: async () => server.stop(),
  };
}

/** 16 characters that end in `=`, as API Gateway's look. */
function newRequestId(): string {
  return randomBytes(11).toString('base64');
}

/** `POST/transactions`: a route as it stands in an ARN, its path with the names of the parameters. */
function routeSource(routeKey: string, method = ''): string {
  return routeKey.replace(/^ANY /, `${method} `).replace(' ', '');
}

function headerBytes(request: IncomingMessage): number {
  let bytes = (request.method ?? '').length + (request.url ?? '').length;
  for (const text of request.rawHeaders) bytes += text.length;
  return bytes;
}

/** The function runs on after the integration's timeout, as on AWS; only its answer is lost. */
async function within(timeoutMilliseconds: number, invoked: Promise<Invocation>): Promise<HttpAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMilliseconds);
  });
  try {
    const invocation = await Promise.race([invoked, timedOut]);
    if (invocation === undefined || invocation.kind === 'throttled') return serviceUnavailable;
    if (invocation.kind === 'success') return functionAnswer(invocation.payload);
    return invocation.errorType === 'RequestTooLargeException' ? tooLarge : internalServerError;
  } finally {
    clearTimeout(timer);
  }
}
