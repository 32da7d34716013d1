import { API_GATEWAY_LOG_ACTIONS, requireAssumable, type Access } from '../iam/index.ts';
import {
  optionalText,
  physicalName,
  propertyAt,
  requiredText,
  ResourceError,
  type Provision,
  type ResourceRequest,
} from '../template/index.ts';
import type { ApiWorld } from './api-drafts.ts';
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
} from './provision-web-socket-api.ts';

export interface AccountWorld extends Pick<ApiWorld, 'account' | 'region'> {
  readonly access: Access;
}

const ACCOUNT_SESSION = 'BackplaneAssumeRoleSession';

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

/** AWS::ApiGateway::Account: the role by which API Gateway writes logs, for all APIs of the account and region. */
export const provisionApiGatewayAccount: Provision<AccountWorld> = (resource, world) => {
  const roleArn = requiredText(resource, 'CloudWatchRoleArn');
  const words =
    'The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.';
  requireAssumable(resource, world, {
    roleArn,
    service: 'apigateway.amazonaws.com',
    sourceArn: `arn:aws:apigateway:${world.region}::/account`,
    words,
  });
  const principal = { kind: 'role', roleArn, sessionName: ACCOUNT_SESSION } as const;
  for (const action of API_GATEWAY_LOG_ACTIONS) {
    const refusal = world.access.refusalOf({ principal, action, resourceArn: '*' });
    if (refusal !== undefined) throw new ResourceError(resource, `${words} (${refusal})`);
  }
  world.account.apiGatewayLogRole = roleArn;
  const id = physicalName(resource.stackName, resource.logicalId);
  return { ref: id, attributes: { Id: id } };
};

/** AWS::ApiGatewayV2::Api */
export const provisionApi: Provision<ApiWorld> = (resource, world) =>
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

function byProtocol(http: Provision<ApiWorld>, webSocket: Provision<ApiWorld>): Provision<ApiWorld> {
  return (resource, world) => {
    const protocol = protocolOf(resource, world);
    refuseForeign(resource, protocol);
    return (protocol === 'WEBSOCKET' ? webSocket : http)(resource, world);
  };
}

function protocolOf(resource: ResourceRequest, world: ApiWorld): Protocol {
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
