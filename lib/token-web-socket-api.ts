import { ArnFormat, CfnElement, Duration, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnIntegrationResponse,
  LogGroupLogDestination,
  WebSocketApi,
  WebSocketIntegration,
  WebSocketStage,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import {
  WebSocketLambdaIntegration,
  WebSocketMockIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { GraphWidget, Metric, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { apiGatewayLogRole } from './api-gateway-log-role.ts';
import { logGroup } from './log-group.ts';
import { NodeFunction, type NodeFunctionProps } from './node-function.ts';
import { RunbookAlarm, sumOf } from './runbook-alarm.ts';

export interface TokenWebSocketApiProps {
  /** The local host serves the API below a path of this name. */
  readonly apiName: string;
  readonly description: string;
  /** Reads the query parameter `token`. */
  readonly authorizer: NodeFunction;
  /** Tells functions where to post frames. */
  readonly urlVariable: string;
  readonly stageName: string;
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  readonly alarmTopic: ITopic;
  readonly logRetention: RetentionDays;
}

export interface FrameFunction extends Omit<NodeFunctionProps, 'logRetention'> {
  readonly id: string;
  /** A frame's `action`, or `$disconnect`, or `$default` for what no other route takes. */
  readonly routeKey: string;
  /** The function may post frames to connections. @default false */
  readonly answers?: boolean;
}

/** Connecting runs no function but the authorizer: nothing can be pushed before a connection is established. */
export class TokenWebSocketApi extends Construct {
  /** `wss://…`, without a slash at the end. */
  readonly url: string;
  private readonly urlVariable: string;
  private readonly connectionsUrl: string;
  private readonly api: WebSocketApi;
  private readonly stageName: string;
  private readonly logRetention: RetentionDays;

  constructor(scope: Construct, id: string, props: TokenWebSocketApiProps) {
    super(scope, id);
    this.api = new WebSocketApi(this, 'Api', {
      apiName: props.apiName,
      description: props.description,
      routeSelectionExpression: '$request.body.action',
      connectRouteOptions: {
        authorizer: new WebSocketLambdaAuthorizer('Tokens', props.authorizer.function, {
          identitySource: ['route.request.querystring.token'],
        }),
        integration: new WebSocketMockIntegration('Connected', {
          templateSelectionExpression: '\\$default',
          requestTemplates: { $default: JSON.stringify({ statusCode: 200 }) },
        }),
        returnResponse: true,
      },
    });
    this.acceptConnections();
    const accessLogs = logGroup(this, 'AccessLogs', props.logRetention);
    const stage = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName: props.stageName,
      autoDeploy: true,
      throttle: { ...props.throttle },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogs),
        // No frames, and no query strings, which hold the token.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            time: AccessLogField.contextRequestTime(),
            eventType: AccessLogField.contextEventType(),
            routeKey: '$context.routeKey',
            connectionId: AccessLogField.contextConnectionId(),
            status: AccessLogField.contextStatus(),
            error: AccessLogField.contextErrorMessage(),
            integrationError: '$context.integration.error',
            authorizerError: '$context.authorizer.error',
          }),
        ),
      },
    });
    const logRole = apiGatewayLogRole(this);
    if (logRole !== undefined) stage.node.addDependency(logRole);
    this.stageName = props.stageName;
    this.urlVariable = props.urlVariable;
    this.logRetention = props.logRetention;
    this.url = stage.url;
    this.connectionsUrl = stage.callbackUrl;
    const period = Duration.minutes(5);
    new RunbookAlarm(this, 'ServerErrorAlarm', {
      impact: `Devices cannot connect to the ${props.apiName} API, or what they send is answered by an error that is not theirs.`,
      runbookHeading: 'An API answers with server errors',
      metric: sumOf([this.metric('ExecutionError'), this.metric('IntegrationError')], period),
      threshold: 5,
      periods: 2,
      topic: props.alarmTopic,
    });
  }

  private metric(metricName: string, label?: string): Metric {
    return new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiId: this.api.apiId, Stage: this.stageName },
      statistic: 'Sum',
      period: Duration.minutes(5),
      ...(label === undefined ? {} : { label }),
    });
  }

  widgets(): IWidget[] {
    return [
      new GraphWidget({
        title: `${this.node.id}: frames`,
        left: [
          this.metric('ConnectCount', 'connects'),
          this.metric('MessageCount', 'frames'),
          this.metric('ClientError', 'refused'),
          this.metric('ExecutionError', 'execution errors'),
          this.metric('IntegrationError', 'integration errors'),
        ],
      }),
    ];
  }

  /** Without an integration response, API Gateway answers every handshake of a mock integration with 500. */
  private acceptConnections(): void {
    const integration = this.api.node.findChild('$connect-Route').node.findChild('Connected');
    if (!(integration instanceof WebSocketIntegration)) throw new Error(`${integration.node.path} is none.`);
    new CfnIntegrationResponse(this, 'ConnectedResponse', {
      apiId: this.api.apiId,
      integrationId: integration.integrationId,
      integrationResponseKey: '$default',
    });
  }

  serve(functions: readonly FrameFunction[]): void {
    for (const { id, routeKey, answers = false, ...props } of functions) {
      const handler = new NodeFunction(Stack.of(this), id, { ...props, logRetention: this.logRetention });
      const route = this.api.addRoute(routeKey, {
        integration: new WebSocketLambdaIntegration(`${id}Integration`, handler.function),
      });
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'API Gateway authorizes a WebSocket once, at $connect, and knows authorizers on no other route. Nobody gets here without a token, and who connected is in the authorizer context of every event.',
      });
      if (answers) this.allowConnections(handler, ['POST']);
    }
  }

  allowConnections(caller: NodeFunction, methods: readonly ('POST' | 'DELETE')[]): void {
    for (const method of methods) this.allowMethod(caller, method);
  }

  private allowMethod(caller: NodeFunction, method: 'POST' | 'DELETE'): void {
    const connections = `${this.stageName}/${method}/@connections/*`;
    const stack = Stack.of(this);
    caller.allow({
      environment: { [this.urlVariable]: this.connectionsUrl },
      actions: ['execute-api:ManageConnections'],
      resource: stack.formatArn({
        service: 'execute-api',
        resource: this.api.apiId,
        resourceName: connections,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    });
    const { defaultChild } = this.api.node;
    if (!CfnElement.isCfnElement(defaultChild)) throw new Error(`${this.node.path} has no resource.`);
    Validations.of(caller.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<${stack.getLogicalId(defaultChild)}>/${connections}]`,
      reason:
        'The ids of connections are made when devices connect. The policy names this API, this stage and the one method.',
    });
  }
}
