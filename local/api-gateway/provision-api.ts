import {
  existing,
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
import type { ApiDrafts, HttpApiDraft } from './api-drafts.ts';
import type { ThrottleLimits } from './token-bucket.ts';

export interface ApiWorld extends ApiDrafts, Place {
  readonly awsEndpoint: string;
  readonly httpUrl: string;
  readonly urls: UrlRewriter;
}

export const provisionHttpApi: Provision<ApiWorld> = (resource, world) => {
  const name = requiredText(resource, 'Name');
  const prefix = prefixOf(resource, world);
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

export const provisionIntegration: Provision<ApiWorld> = (resource, world) => {
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

export const provisionAuthorizer: Provision<ApiWorld> = (resource, world) => {
  const id = randomId(6);
  apiOf(resource, world).authorizers.set(id, {
    issuer: requiredText(resource, 'JwtConfiguration.Issuer'),
    audience: textListAt(resource, 'JwtConfiguration.Audience'),
  });
  return { ref: id, attributes: { AuthorizerId: id } };
};

export const provisionRoute: Provision<ApiWorld> = (resource, world) => {
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

export const provisionStage: Provision<ApiWorld> = (resource, world) => {
  const draft = apiOf(resource, world);
  if (draft.stage !== undefined) throw new ResourceError(resource, 'an API has one stage here.');
  const stageName = requiredText(resource, 'StageName');
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
    throttle: throttleAt(resource, 'DefaultRouteSettings'),
    routeThrottles: Object.fromEntries(routeThrottles),
  };
  return { ref: stageName, attributes: {} };
};

function apiOf(resource: ResourceRequest, world: ApiWorld): HttpApiDraft {
  const apiId = requiredText(resource, 'ApiId');
  return existing(resource, world.httpApis.get(apiId), `ApiId ${apiId} names no API of this app.`);
}

/** @throws ResourceError where another API has the path */
export function prefixOf(resource: ResourceRequest, { httpApis, webSocketApis }: ApiWorld): string {
  const prefix = `/${kebabCase(requiredText(resource, 'Name'))}`;
  if ([...httpApis.values(), ...webSocketApis.values()].some((other) => other.prefix === prefix)) {
    throw new ResourceError(resource, `another API is served at ${prefix} already; names must differ.`);
  }
  return prefix;
}

/** The function's ARN, alone or wrapped: …:lambda:path/2015-03-31/functions/<ARN>/invocations. */
export function functionArnIn(resource: ResourceRequest, path: string): string {
  const uri = requiredText(resource, path);
  const functionArn = /arn:aws:lambda:[^:]+:\d+:function:[^:/]+/.exec(uri)?.[0];
  return existing(resource, functionArn, `${path} ${uri} names no function.`);
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
  // The account's limits apply to what is not set: 10,000 requests a second, 5,000 at once.
  return { rateLimit: rateLimit ?? 10_000, burstLimit: burstLimit ?? 5000 };
}
