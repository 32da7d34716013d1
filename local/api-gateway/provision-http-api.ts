import {
  isJsonObject,
  numberWithin,
  optionalText,
  propertyAt,
  randomId,
  requiredText,
  ResourceError,
  textListAt,
  type Provision,
  type ResourceRequest,
} from '../template/index.ts';
import { functionArnIn, prefixOf, throttleAt, type ApiWorld, type HttpApiDraft } from './api-drafts.ts';

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
    kind: 'jwt',
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

function apiOf(resource: ResourceRequest, world: ApiWorld): HttpApiDraft {
  const apiId = requiredText(resource, 'ApiId');
  const draft = world.httpApis.get(apiId);
  if (draft === undefined) throw new ResourceError(resource, `ApiId ${apiId} names no API of this app.`);
  return draft;
}
