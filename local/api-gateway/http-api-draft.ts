import type { HttpApiDefinition, HttpApiRoute, ThrottleLimits } from './http-api.ts';

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

/** @throws Error where a part that another one names does not exist. */
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
    routes: draft.routes.map(({ routeKey, integrationId, authorizerId, scopes }) => {
      const integration = draft.integrations.get(integrationId);
      const authorizer = authorizerId === undefined ? undefined : draft.authorizers.get(authorizerId);
      if (integration === undefined || (authorizerId !== undefined && authorizer === undefined)) {
        throw new Error(
          `The route ${routeKey} of ${draft.name} names an integration or authorizer of another API.`,
        );
      }
      return { routeKey, ...integration, ...(authorizer === undefined ? {} : { authorizer }), scopes };
    }),
  };
}
