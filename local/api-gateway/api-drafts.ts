import {
  kebabCase,
  numberWithin,
  propertyAt,
  requiredText,
  ResourceError,
  type Place,
  type ResourceRequest,
  type UrlRewriter,
} from '../template/index.ts';
import type { HttpApiDefinition, HttpApiRoute } from './http-api.ts';
import type { ThrottleLimits } from './token-bucket.ts';
import type { WebSocketApiDefinition, WebSocketIntegration } from './web-socket-api.ts';
import type { WebSocketAuthorizer } from './web-socket-authorizer.ts';

export interface ApiWorld extends Place {
  /** Set once for the account and region, for WebSocket APIs that write logs. */
  readonly account: { apiGatewayLogRole?: string };
  readonly awsEndpoint: string;
  readonly httpApis: Map<string, HttpApiDraft>;
  readonly httpUrl: string;
  readonly urls: UrlRewriter;
  readonly webSocketApis: Map<string, WebSocketApiDraft>;
}

/** An HTTP API under construction: its routes, integrations and authorizers are resources of their own. */
export interface HttpApiDraft {
  readonly apiId: string;
  readonly name: string;
  readonly prefix: string;
  readonly integrations: Map<string, { readonly functionArn: string; readonly timeoutMilliseconds: number }>;
  readonly authorizers: Map<string, NonNullable<HttpApiRoute['authorizer']>>;
  readonly routes: {
    readonly routeKey: string;
    readonly integrationId: string;
    readonly authorizerId?: string;
    readonly scopes: readonly string[];
  }[];
  stage?: {
    readonly stageName: string;
    readonly throttle?: ThrottleLimits;
    readonly routeThrottles: Readonly<Record<string, ThrottleLimits>>;
  };
}

/** A WebSocket API under construction: its routes, integrations and authorizers are resources of their own. */
export interface WebSocketApiDraft {
  readonly apiId: string;
  readonly name: string;
  readonly prefix: string;
  readonly selectionPath: readonly string[];
  readonly integrations: Map<string, WebSocketIntegration>;
  readonly authorizers: Map<string, WebSocketAuthorizer>;
  readonly routes: Map<
    string,
    { readonly routeKey: string; readonly integrationId: string; readonly authorizerId?: string }
  >;
  /** The ids of routes whose function answers the client. */
  readonly responding: Set<string>;
  stage?: { readonly stageName: string; readonly throttle?: ThrottleLimits };
}

/** @throws Error where a route names a part that does not exist */
export function finishHttpApi(draft: HttpApiDraft): HttpApiDefinition {
  if (draft.stage === undefined)
    throw new Error(`The HTTP API ${draft.name} has no stage, so nothing is deployed.`);
  const { stageName, throttle, routeThrottles } = draft.stage;
  return {
    apiId: draft.apiId,
    prefix: draft.prefix,
    stageName,
    ...(throttle === undefined ? {} : { throttle }),
    routeThrottles,
    routes: draft.routes.map((route) => {
      const { integration, ...guarded } = partsOf(draft, route);
      return { routeKey: route.routeKey, scopes: route.scopes, ...integration, ...guarded };
    }),
  };
}

/** @throws Error where a route names a part that does not exist */
export function finishWebSocketApi(draft: WebSocketApiDraft): WebSocketApiDefinition {
  if (draft.stage === undefined)
    throw new Error(`The WebSocket API ${draft.name} has no stage, so nothing is deployed.`);
  const { stageName, throttle } = draft.stage;
  return {
    apiId: draft.apiId,
    stageName,
    selectionPath: draft.selectionPath,
    ...(throttle === undefined ? {} : { throttle }),
    routes: [...draft.routes].map(([routeId, route]) => ({
      routeKey: route.routeKey,
      ...partsOf(draft, route),
      returnsResponse: draft.responding.has(routeId),
    })),
  };
}

/** The parts that a route names by id. */
function partsOf<Integration, Authorizer>(
  draft: {
    readonly name: string;
    readonly integrations: ReadonlyMap<string, Integration>;
    readonly authorizers: ReadonlyMap<string, Authorizer>;
  },
  route: { readonly routeKey: string; readonly integrationId: string; readonly authorizerId?: string },
): { readonly integration: Integration; readonly authorizer?: Authorizer } {
  const { routeKey, integrationId, authorizerId } = route;
  const integration = draft.integrations.get(integrationId);
  const authorizer = authorizerId === undefined ? undefined : draft.authorizers.get(authorizerId);
  if (integration === undefined || (authorizerId !== undefined && authorizer === undefined)) {
    throw new Error(
      `The route ${routeKey} of ${draft.name} names an integration or authorizer of another API.`,
    );
  }
  return { integration, ...(authorizer === undefined ? {} : { authorizer }) };
}

/** The path under which an API is served. @throws ResourceError where another API has it */
export function prefixOf(resource: ResourceRequest, { httpApis, webSocketApis }: ApiWorld): string {
  const prefix = `/${kebabCase(requiredText(resource, 'Name'))}`;
  if ([...httpApis.values(), ...webSocketApis.values()].some((other) => other.prefix === prefix)) {
    throw new ResourceError(resource, `another API is served at ${prefix} already; names must differ.`);
  }
  return prefix;
}

/** Either the function's ARN, or the older form that wraps it: …:lambda:path/2015-03-31/functions/<ARN>/invocations. */
export function functionArnIn(resource: ResourceRequest, path: string): string {
  const uri = requiredText(resource, path);
  const functionArn = /arn:aws:lambda:[^:]+:\d+:function:[^:/]+/.exec(uri)?.[0];
  if (functionArn === undefined) throw new ResourceError(resource, `${path} ${uri} names no function.`);
  return functionArn;
}

export function throttleAt(resource: ResourceRequest, path: string): ThrottleLimits | undefined {
  const limits = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER, byDefault: -1 };
  const read = (property: string): number | undefined =>
    propertyAt(resource, `${path}.${property}`) === undefined
      ? undefined
      : numberWithin(resource, `${path}.${property}`, limits);
  const rateLimit = read('ThrottlingRateLimit');
  const burstLimit = read('ThrottlingBurstLimit');
  if (rateLimit === undefined && burstLimit === undefined) return undefined;
  // The account limits what is not set: 10,000 requests a second, 5,000 at once.
  return { rateLimit: rateLimit ?? 10_000, burstLimit: burstLimit ?? 5000 };
}
