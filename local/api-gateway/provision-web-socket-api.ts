import {
  existing,
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
import type { WebSocketApiDraft } from './api-drafts.ts';
import { functionArnIn, prefixOf, throttleAt, type ApiWorld } from './provision-api.ts';

export const provisionWebSocketApi: Provision<ApiWorld> = (resource, world) => {
  const name = requiredText(resource, 'Name');
  const prefix = prefixOf(resource, world);
  const expression = requiredText(resource, 'RouteSelectionExpression');
  const selection = /^\$(?:\{request\.body\.([\w.-]+)\}|request\.body\.([\w.-]+))$/.exec(expression);
  const path = existing(
    resource,
    selection?.[1] ?? selection?.[2],
    `RouteSelectionExpression ${expression} is not supported (supported: $request.body.name).`,
  );
  const apiId = randomId(10);
  world.webSocketApis.set(apiId, {
    apiId,
    name,
    prefix,
    selectionPath: path.split('.'),
    integrations: new Map(),
    authorizers: new Map(),
    routes: new Map(),
    responding: new Set(),
  });
  const host = `${apiId}.execute-api.${world.region}.amazonaws.com`;
  const url = `${world.httpUrl.replace(/^http/, 'ws')}${prefix}`;
  world.urls.add(`wss://${host}`, url);
  // Functions manage connections at the AWS endpoint, where the path begins with the API's id.
  world.urls.add(`https://${host}`, `${world.awsEndpoint}/${apiId}`);
  return { ref: apiId, attributes: { ApiEndpoint: url, ApiId: apiId } };
};

export const provisionWebSocketIntegration: Provision<ApiWorld> = (resource, world) => {
  const id = randomId(7);
  const isMock = requiredText(resource, 'IntegrationType') === 'MOCK';
  apiOf(resource, world).integrations.set(
    id,
    isMock
      ? { kind: 'mock', status: mockStatus(resource), responses: [] }
      : {
          kind: 'function',
          functionArn: functionArnIn(resource, 'IntegrationUri'),
          timeoutMilliseconds: numberWithin(resource, 'TimeoutInMillis', {
            minimum: 50,
            maximum: 29_000,
            byDefault: 29_000,
          }),
        },
  );
  return { ref: id, attributes: { IntegrationId: id } };
};

/** On AWS the request template gives a mock integration its status; without one the integration fails. */
function mockStatus(resource: ResourceRequest): number {
  const templates = propertyAt(resource, 'RequestTemplates');
  const statuses = Object.values(isJsonObject(templates) ? templates : {}).map((template) => {
    try {
      const parsed: unknown = typeof template === 'string' ? JSON.parse(template) : undefined;
      return isJsonObject(parsed) ? parsed['statusCode'] : undefined;
    } catch {
      return undefined;
    }
  });
  const [status] = statuses;
  if (typeof status !== 'number' || statuses.some((other) => other !== status)) {
    throw new ResourceError(
      resource,
      'a MOCK integration needs RequestTemplates such as {"$default": "{\\"statusCode\\": 200}"}, without any variables.',
    );
  }
  return status;
}

export const provisionIntegrationResponse: Provision<ApiWorld> = (resource, world) => {
  const { integrations } = apiOf(resource, world);
  const integrationId = requiredText(resource, 'IntegrationId');
  const integration = existing(
    resource,
    integrations.get(integrationId),
    `IntegrationId ${integrationId} names no integration of this API.`,
  );
  if (integration.kind === 'mock') {
    const responses = [...integration.responses, statusesOf(resource)];
    integrations.set(integrationId, { ...integration, responses });
  }
  const id = randomId(7);
  return { ref: id, attributes: { IntegrationResponseId: id } };
};

/** The statuses that a response takes: `$default` takes all, and a key between slashes is a pattern. */
function statusesOf(resource: ResourceRequest): RegExp {
  const key = requiredText(resource, 'IntegrationResponseKey');
  if (key === '$default') return /^/;
  const [, pattern] = /^\/(.+)\/$/.exec(key) ?? [];
  try {
    if (pattern !== undefined) return new RegExp(`^(?:${pattern})$`);
  } catch {
    // Not a pattern: refused below.
  }
  throw new ResourceError(
    resource,
    `IntegrationResponseKey must be $default or a pattern such as /2\\d\\d/, not ${key}.`,
  );
}

export const provisionWebSocketAuthorizer: Provision<ApiWorld> = (resource, world) => {
  const id = randomId(6);
  const identitySources = textListAt(resource, 'IdentitySource');
  const unknown = identitySources.find((source) => !/^route\.request\.(header|querystring)\./.test(source));
  if (unknown !== undefined || identitySources.length === 0) {
    throw new ResourceError(
      resource,
      `IdentitySource must name route.request.querystring.… or route.request.header.…, not ${unknown ?? 'nothing'}.`,
    );
  }
  apiOf(resource, world).authorizers.set(id, {
    authorizerId: id,
    functionArn: functionArnIn(resource, 'AuthorizerUri'),
    identitySources,
  });
  return { ref: id, attributes: { AuthorizerId: id } };
};

export const provisionWebSocketRoute: Provision<ApiWorld> = (resource, world) => {
  const routeKey = requiredText(resource, 'RouteKey');
  const draft = apiOf(resource, world);
  const needsAuthorizer = optionalText(resource, 'AuthorizationType') === 'CUSTOM';
  if (needsAuthorizer && routeKey !== '$connect') {
    throw new ResourceError(resource, 'only the route $connect of a WebSocket API can have an authorizer.');
  }
  if ([...draft.routes.values()].some((other) => other.routeKey === routeKey)) {
    throw new ResourceError(resource, `the API has a route ${routeKey} already.`);
  }
  const id = randomId(7);
  draft.routes.set(id, {
    routeKey,
    integrationId: requiredText(resource, 'Target').replace(/^integrations\//, ''),
    ...(needsAuthorizer ? { authorizerId: requiredText(resource, 'AuthorizerId') } : {}),
  });
  return { ref: id, attributes: { RouteId: id } };
};

export const provisionRouteResponse: Provision<ApiWorld> = (resource, world) => {
  apiOf(resource, world).responding.add(requiredText(resource, 'RouteId'));
  const id = randomId(7);
  return { ref: id, attributes: { RouteResponseId: id } };
};

export const provisionWebSocketStage: Provision<ApiWorld> = (resource, world) => {
  const draft = apiOf(resource, world);
  if (draft.stage !== undefined) throw new ResourceError(resource, 'an API has one stage here.');
  // Only WebSocket APIs need the role. Source: API Gateway developer guide, "Configure logging for WebSocket APIs".
  if (
    propertyAt(resource, 'AccessLogSettings') !== undefined &&
    world.account.apiGatewayLogRole === undefined
  )
    throw new ResourceError(
      resource,
      'CloudWatch Logs role ARN must be set in account settings to enable logging (by AWS::ApiGateway::Account).',
    );
  const stageName = requiredText(resource, 'StageName');
  draft.stage = { stageName, throttle: throttleAt(resource, 'DefaultRouteSettings') };
  // Clients may connect at the prefix alone, or with the stage behind it.
  const host = `${draft.apiId}.execute-api.${world.region}.amazonaws.com`;
  const url = `${world.httpUrl.replace(/^http/, 'ws')}${draft.prefix}`;
  world.urls.add(`wss://${host}/${stageName}`, url);
  return { ref: stageName, attributes: {} };
};

function apiOf(resource: ResourceRequest, world: ApiWorld): WebSocketApiDraft {
  const apiId = requiredText(resource, 'ApiId');
  const draft = world.webSocketApis.get(apiId);
  return existing(resource, draft, `ApiId ${apiId} names no WebSocket API of this app.`);
}
