import type { ThrottleLimits } from './http-api.ts';
import type { WebSocketApiDefinition, WebSocketIntegration } from './web-socket-api.ts';
import type { WebSocketAuthorizer } from './web-socket-authorizer.ts';

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
    { readonly routeKey: string; readonly integrationId?: string; readonly authorizerId?: string }
  >;
  /** The ids of routes whose function answers the client. */
  readonly responding: Set<string>;
  stage?: { readonly stageName: string; readonly throttle?: ThrottleLimits };
}

/** @throws Error where a part that another one names does not exist. */
export function finishWebSocketApi(draft: WebSocketApiDraft): WebSocketApiDefinition {
  if (draft.stage === undefined)
    throw new Error(`The WebSocket API ${draft.name} has no stage, so nothing is deployed.`);
  const { stageName, throttle } = draft.stage;
  return {
    apiId: draft.apiId,
    stageName,
    selectionPath: draft.selectionPath,
    ...(throttle === undefined ? {} : { throttle }),
    routes: [...draft.routes].map(([routeId, { routeKey, integrationId, authorizerId }]) => {
      const integration = draft.integrations.get(integrationId ?? '');
      const authorizer = authorizerId === undefined ? undefined : draft.authorizers.get(authorizerId);
      if (integration === undefined || (authorizerId !== undefined && authorizer === undefined)) {
        throw new Error(
          `The route ${routeKey} of ${draft.name} names an integration or authorizer of another API.`,
        );
      }
      return {
        routeKey,
        integration,
        ...(authorizer === undefined ? {} : { authorizer }),
        returnsResponse: draft.responding.has(routeId),
      };
    }),
  };
}
