import {
  optionalText,
  propertyAt,
  requiredText,
  ResourceError,
  type Provision,
  type ResourceRequest,
} from '../template/index.ts';
import {
  provisionAuthorizer as authorizer,
  provisionHttpApi,
  provisionIntegration as integration,
  provisionRoute as route,
  provisionStage as stage,
} from './provision-http-api.ts';
import {
  provisionWebSocketApi,
  provisionWebSocketAuthorizer,
  provisionWebSocketIntegration,
  provisionWebSocketRoute,
  provisionWebSocketStage,
  type WebSocketApiWorld,
} from './provision-web-socket-api.ts';

export type { WebSocketApiWorld as ApiWorld } from './provision-web-socket-api.ts';

/*
 * The types of AWS::ApiGatewayV2 serve two kinds of API, of which each knows half of the properties.
 */

type Protocol = 'HTTP' | 'WEBSOCKET';

/** What the one kind takes and the other does not, by type. */
const FOREIGN: Readonly<Record<Protocol, Readonly<Record<string, Readonly<Record<string, RegExp>>>>>> = {
  HTTP: {
    'AWS::ApiGatewayV2::Route': {
      AuthorizationType: /^CUSTOM$/,
      RouteResponseSelectionExpression: /./,
    },
    'AWS::ApiGatewayV2::Integration': {
      IntegrationType: /^MOCK$/,
      PayloadFormatVersion: /^1\.0$/,
      RequestTemplates: /./,
      TemplateSelectionExpression: /./,
    },
    'AWS::ApiGatewayV2::Authorizer': { AuthorizerType: /^REQUEST$/, AuthorizerUri: /./ },
    'AWS::ApiGatewayV2::RouteResponse': { RouteId: /./ },
  },
  WEBSOCKET: {
    'AWS::ApiGatewayV2::Route': { AuthorizationType: /^JWT$/, AuthorizationScopes: /./ },
    'AWS::ApiGatewayV2::Integration': { PayloadFormatVersion: /^2\.0$/ },
    'AWS::ApiGatewayV2::Authorizer': { AuthorizerType: /^JWT$/, JwtConfiguration: /./ },
    'AWS::ApiGatewayV2::Stage': { RouteSettings: /./ },
  },
};

/** AWS::ApiGatewayV2::Api */
export const provisionApi: Provision<WebSocketApiWorld> = (resource, world) =>
  (requiredText(resource, 'ProtocolType') === 'WEBSOCKET' ? provisionWebSocketApi : provisionHttpApi)(
    resource,
    world,
  );

/** AWS::ApiGatewayV2::Authorizer */
export const provisionAuthorizer = byProtocol(authorizer, provisionWebSocketAuthorizer);
/** AWS::ApiGatewayV2::Integration */
export const provisionIntegration = byProtocol(integration, provisionWebSocketIntegration);
/** AWS::ApiGatewayV2::Route */
export const provisionRoute = byProtocol(route, provisionWebSocketRoute);
/** AWS::ApiGatewayV2::Stage */
export const provisionStage = byProtocol(stage, provisionWebSocketStage);

function byProtocol(
  http: Provision<WebSocketApiWorld>,
  webSocket: Provision<WebSocketApiWorld>,
): Provision<WebSocketApiWorld> {
  return (resource, world) => {
    const protocol = protocolOf(resource, world);
    refuseForeign(resource, protocol);
    return (protocol === 'WEBSOCKET' ? webSocket : http)(resource, world);
  };
}

function protocolOf(resource: ResourceRequest, world: WebSocketApiWorld): Protocol {
  return world.webSocketApis.has(requiredText(resource, 'ApiId')) ? 'WEBSOCKET' : 'HTTP';
}

function refuseForeign(resource: ResourceRequest, protocol: Protocol): void {
  for (const [path, foreign] of Object.entries(FOREIGN[protocol][resource.type] ?? {})) {
    const value = propertyAt(resource, path);
    if (value === undefined) continue;
    const text = typeof value === 'object' ? JSON.stringify(value) : optionalText(resource, path);
    if (!foreign.test(text ?? '')) continue;
    throw new ResourceError(resource, `${path} ${text ?? ''} is not supported for ${protocol} APIs.`);
  }
}
