import { API_GATEWAY_LOG_ACTIONS, requireAssumable, type Access } from '../iam/index.ts';
import {
  description,
  each,
  honoured,
  honours,
  inert,
  observability,
  only,
  optionalText,
  physicalName,
  propertyAt,
  refused,
  requiredText,
  ResourceError,
  tagMap,
  type Properties,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
} from '../template/index.ts';
import {
  provisionAuthorizer as authorizer,
  provisionHttpApi,
  provisionIntegration as integration,
  provisionRoute as route,
  provisionStage as stage,
  type ApiWorld,
} from './provision-api.ts';
import {
  provisionIntegrationResponse,
  provisionRouteResponse,
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

type Protocol = 'HTTP' | 'WEBSOCKET';

/** AWS::ApiGatewayV2 serves both kinds of API. Each kind refuses the values that only the other takes. */
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

const provisionApiGatewayAccount: Provision<AccountWorld> = (resource, world) => {
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

const provisionApi: Provision<ApiWorld> = (resource, world) =>
  (requiredText(resource, 'ProtocolType') === 'WEBSOCKET' ? provisionWebSocketApi : provisionHttpApi)(
    resource,
    world,
  );

const provisionAuthorizer = byProtocol(authorizer, provisionWebSocketAuthorizer);
const provisionIntegration = byProtocol(integration, provisionWebSocketIntegration);
const provisionRoute = byProtocol(route, provisionWebSocketRoute);
const provisionStage = byProtocol(stage, provisionWebSocketStage);

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

const assumedByApiGateway = refused(
  'API Gateway invokes functions as their permissions allow; it does not assume a role for it here.',
);
const throttling = (path: string): Properties => ({
  ...each(`${path}.`, honoured, 'ThrottlingBurstLimit', 'ThrottlingRateLimit'),
  ...each(`${path}.`, observability, 'DetailedMetricsEnabled', 'DataTraceEnabled', 'LoggingLevel'),
});

export const API_GATEWAY_TYPES: ResourceTypes<ApiWorld & AccountWorld> = {
  'AWS::ApiGateway::Account': {
    provision: provisionApiGatewayAccount,
    properties: {
      ...honours('CloudWatchRoleArn'),
    },
  },
  'AWS::ApiGatewayV2::Api': {
    provision: provisionApi,
    properties: {
      ...honours('Name RouteSelectionExpression'),
      ProtocolType: only(/^(HTTP|WEBSOCKET)$/),
      ApiKeySelectionExpression: inert('No route asks for an API key.'),
      DisableSchemaValidation: inert('There are no schemas.'),
      Description: description,
      DisableExecuteApiEndpoint: only(/^false$/),
      IpAddressType: inert('The host listens where the laptop does.'),
      ...tagMap(),
      CorsConfiguration: refused('Cross-origin requests are not answered for the function.'),
    },
  },
  'AWS::ApiGatewayV2::Route': {
    provision: provisionRoute,
    properties: {
      ...honours('ApiId RouteKey Target AuthorizerId AuthorizationScopes'),
      AuthorizationType: only(/^(NONE|JWT|CUSTOM)$/),
      RouteResponseSelectionExpression: only(/^\$default$/),
      OperationName: inert('A name for people.'),
      ApiKeyRequired: only(/^false$/),
    },
  },
  'AWS::ApiGatewayV2::Integration': {
    provision: provisionIntegration,
    properties: {
      ...honours('ApiId RequestTemplates.* TimeoutInMillis'),
      IntegrationType: only(/^(AWS_PROXY|MOCK)$/),
      // A mock integration has an empty URI.
      IntegrationUri: only(/function:|^$/),
      TemplateSelectionExpression: inert('The templates of a mock integration must all say the same.'),
      PassthroughBehavior: inert('Bodies go to functions as they are.'),
      IntegrationMethod: inert('Functions are always invoked by POST.'),
      PayloadFormatVersion: only(/^[12]\.0$/),
      Description: description,
      ConnectionType: only(/^INTERNET$/),
      CredentialsArn: assumedByApiGateway,
    },
  },
  'AWS::ApiGatewayV2::IntegrationResponse': {
    provision: provisionIntegrationResponse,
    properties: {
      ...honours('ApiId IntegrationId IntegrationResponseKey'),
      ContentHandlingStrategy: refused('Bodies of integrations that are no proxies are not converted.'),
      ResponseParameters: refused('Headers of integrations that are no proxies are not mapped.'),
      ResponseTemplates: refused('Templates of responses are not evaluated.'),
      TemplateSelectionExpression: refused('Templates of responses are not evaluated.'),
    },
  },
  'AWS::ApiGatewayV2::RouteResponse': {
    provision: provisionRouteResponse,
    properties: {
      ...honours('ApiId RouteId'),
      RouteResponseKey: only(/^\$default$/),
    },
  },
  'AWS::ApiGatewayV2::Stage': {
    provision: provisionStage,
    properties: {
      ...honours('ApiId StageName'),
      AutoDeploy: only(/^true$/),
      ...throttling('DefaultRouteSettings'),
      ...throttling('RouteSettings.*'),
      // The host asks for the role that a WebSocket API needs for it.
      ...each('AccessLogSettings.', observability, 'DestinationArn', 'Format'),
      Description: description,
      ...tagMap(),
    },
  },
  'AWS::ApiGatewayV2::Authorizer': {
    provision: provisionAuthorizer,
    properties: {
      ...honours('ApiId Name JwtConfiguration.Issuer JwtConfiguration.Audience'),
      AuthorizerType: only(/^(JWT|REQUEST)$/),
      AuthorizerUri: only(/function:/),
      AuthorizerCredentialsArn: assumedByApiGateway,
      IdentitySource: only(
        /^(\$request\.header\.Authorization|route\.request\.(header|querystring)\.[\w.-]+)$/,
      ),
    },
  },
};
