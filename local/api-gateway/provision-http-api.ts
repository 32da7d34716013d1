import {
  isJsonObject,
  kebabCase,
  numberWithin,
  optionalText,
  propertyAt,
  randomId,
  requiredText,
  ResourceError,
  textListAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type UrlRewriter,
} from '../template/index.ts';
import type { HttpApiDraft } from './http-api-draft.ts';
import type { ThrottleLimits } from './http-api.ts';
import type { WebSocketApiDraft } from './web-socket-api-draft.ts';

export interface HttpApiWorld extends Place {
  readonly httpApis: Map<string, HttpApiDraft>;
  readonly httpUrl: string;
  readonly urls: UrlRewriter;
  readonly webSocketApis: Map<string, WebSocketApiDraft>;
}

/** AWS::ApiGatewayV2::Api */
export const provisionHttpApi: Provision<HttpApiWorld> = (resource, world) => {
  const name = requiredText(resource, 'Name');
  const prefix = `/${kebabCase(name)}`;
  const others = [...world.httpApis.values(), ...world.webSocketApis.values()];
  if (others.some((other) => other.prefix === prefix)) {
    throw new ResourceError(resource, `another API is served at ${prefix} already; names must differ.`);
  }
  const apiId = randomId(10);
  const url = `${world.httpUrl}${prefix}`;
  world.httpApis.set(apiId, {
    apiId,
    name,
    prefix,
    integrations: new Map(),
    authorizers: new Map(),
    routes: [],
  });
  world.urls.add(`https://${apiId}.execute-api.${world.region}.amazonaws.com`, url);
  return { ref: apiId, attributes: { ApiEndpoint: url, ApiId: apiId } };
};

/** AWS::ApiGatewayV2::Integration */
export const provisionIntegration: Provision<HttpApiWorld> = (resource, world) => {
  const functionArn = functionArnIn(resource, 'IntegrationUri');
  const id = randomId(7);
  apiOf(resource, world).integrations.set(id, {
    functionArn,
    timeoutMilliseconds: numberWithin(resource, 'TimeoutInMillis', {
      minimum: 50,
      maximum: 30_000,
      byDefault: 30_000,
    }),
  });
  return { ref: id, attributes: { IntegrationId: id } };
};

/** AWS::ApiGatewayV2::Authorizer */
export const provisionAuthorizer: Provision<HttpApiWorld> = (resource, world) => {
  const id = randomId(6);
  apiOf(resource, world).authorizers.set(id, {
    kind: 'jwt',
    issuer: requiredText(resource, 'JwtConfiguration.Issuer'),
    audience: textListAt(resource, 'JwtConfiguration.Audience'),
  });
  return { ref: id, attributes: { AuthorizerId: id } };
};

/** AWS::ApiGatewayV2::Route */
export const provisionRoute: Provision<HttpApiWorld> = (resource, world) => {
  const needsToken = optionalText(resource, 'AuthorizationType') === 'JWT';
  apiOf(resource, world).routes.push({
    routeKey: requiredText(resource, 'RouteKey'),
    integrationId: requiredText(resource, 'Target').replace(/^integrations\//, ''),
    ...(needsToken ? { authorizerId: requiredText(resource, 'AuthorizerId') } : {}),
    scopes: textListAt(resource, 'AuthorizationScopes'),
  });
  const id = randomId(7);
  return { ref: id, attributes: { RouteId: id } };
};

/** AWS::ApiGatewayV2::Stage */
export const provisionStage: Provision<HttpApiWorld> = (resource, world) => {
  const draft = apiOf(resource, world);
  if (draft.stage !== undefined) throw new ResourceError(resource, 'an API has one stage here.');
  const stageName = requiredText(resource, 'StageName');
  const throttle = throttleAt(resource, 'DefaultRouteSettings');
  const routeSettings = propertyAt(resource, 'RouteSettings');
  const routeThrottles = Object.entries(isJsonObject(routeSettings) ? routeSettings : {}).flatMap(
    ([routeKey, settings]) => {
      const limits = isJsonObject(settings)
        ? throttleAt({ ...resource, properties: { settings } }, 'settings')
        : undefined;
      return limits === undefined ? [] : [[routeKey, limits] as const];
    },
  );
  draft.stage = {
    stageName,
    ...(throttle === undefined ? {} : { throttle }),
    routeThrottles: Object.fromEntries(routeThrottles),
  };
  return { ref: stageName, attributes: {} };
};

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
  // What is not set is bounded by the account: 10,000 requests a second, 5,000 at once.
  return { rateLimit: rateLimit ?? 10_000, burstLimit: burstLimit ?? 5000 };
}

function apiOf(resource: ResourceRequest, world: HttpApiWorld): HttpApiDraft {
  const apiId = requiredText(resource, 'ApiId');
  const draft = world.httpApis.get(apiId);
  if (draft === undefined) throw new ResourceError(resource, `ApiId ${apiId} names no API of this app.`);
  return draft;
}
