import {
  description,
  each,
  honoured,
  honours,
  inert,
  observability,
  only,
  refused,
  tagMap,
  type Properties,
  type ResourceTypes,
} from '../template/index.ts';
import type { ApiWorld } from './api-drafts.ts';
import {
  provisionApi,
  provisionApiGatewayAccount,
  provisionAuthorizer,
  provisionIntegration,
  provisionRoute,
  provisionStage,
  type AccountWorld,
} from './provision-api.ts';
import { provisionIntegrationResponse, provisionRouteResponse } from './provision-web-socket-api.ts';

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
      // A mock integration has an empty one.
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
      // A WebSocket API needs a role for it, which the host asks for.
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
