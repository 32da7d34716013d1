import type { HttpApiDefinition, HttpApiRoute } from './http-api.ts';
import type { ThrottleLimits } from './token-bucket.ts';
import type { WebSocketApiDefinition, WebSocketIntegration } from './web-socket-api.ts';
import type { WebSocketAuthorizer } from './web-socket-authorizer.ts';

export interface ApiDrafts {
  /** WebSocket APIs need it to write logs; the account and region share one. */
  readonly account: { apiGatewayLogRole?: string };
  readonly httpApis: Map<string, HttpApiDraft>;
  readonly webSocketApis: Map<string, WebSocketApiDraft>;
}

/** Routes, integrations and authorizers of an API are resources of their own, so an API grows as they are made. */
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
    readonly throttle?: ThrottleLimits | undefined;
    readonly routeThrottles: Readonly<Record<string, ThrottleLimits>>;
  };
}

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
  readonly responding: Set<string>;
  stage?: { readonly stageName: string; readonly throttle?: ThrottleLimits | undefined };
}

/** @throws Error where a route names a part that does not exist */
export function finishHttpApi(draft: HttpApiDraft): HttpApiDefinition {
  if (draft.stage === undefined)
    throw new Error(`The HTTP API ${draft.name} has no stage, so nothing is deployed.`);
  return {
    apiId: draft.apiId,
    ...draft.stage,
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
  return {
    apiId: draft.apiId,
    ...draft.stage,
    selectionPath: draft.selectionPath,
    routes: [...draft.routes].map(([routeId, route]) => ({
      routeKey: route.routeKey,
      ...partsOf(draft, route),
      returnsResponse: draft.responding.has(routeId),
    })),
  };
}

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
