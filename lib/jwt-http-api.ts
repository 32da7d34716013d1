import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpStage,
  LogGroupLogDestination,
  type HttpMethod,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { GraphWidget, type IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { logGroup } from './log-group.ts';
import { NodeFunction, type NodeFunctionProps } from './node-function.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface JwtHttpApiProps {
  /** The local host serves the API below a path of this name. */
  readonly apiName: string;
  readonly description: string;
  /** Exact value of the tokens' `iss`. */
  readonly issuer: string;
  /** Ids of the clients whose tokens are accepted. */
  readonly audience: readonly string[];
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  readonly logRetention: RetentionDays;
  readonly alarmTopic: ITopic;
  readonly notFoundId: string;
}

export interface ServedFunction extends Omit<NodeFunctionProps, 'logRetention'> {
  readonly id: string;
  /** The scope must be in the token. */
  readonly routes: readonly (readonly [method: HttpMethod, path: string, scope: string])[];
}

/** All routes ask for an access token with a scope. All other paths are 404 for everybody. */
export class JwtHttpApi extends Construct {
  readonly api: HttpApi;
  readonly url: string;
  private readonly authorizer: IHttpRouteAuthorizer;
  private readonly logRetention: RetentionDays;

  constructor(scope: Construct, id: string, props: JwtHttpApiProps) {
    super(scope, id);
    this.logRetention = props.logRetention;
    const notFound = this.functionOf({
      id: props.notFoundId,
      entry: 'shared/not-found-handler',
      description: 'Answers paths that are no route',
    });
    this.authorizer = new HttpJwtAuthorizer('Tokens', props.issuer, { jwtAudience: [...props.audience] });
    this.api = new HttpApi(this, 'Api', {
      apiName: props.apiName,
      description: props.description,
      createDefaultStage: false,
      defaultIntegration: integrationOf(notFound),
    });
    Validations.of(this.api.node.findChild('DefaultRoute')).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'It takes what is no route of this API, and answers 404 to everybody, so that an unknown path reads the same with and without a token. Its function is granted nothing. Every other route asks for a token with a scope.',
    });
    const accessLogs = logGroup(this, 'AccessLogs', props.logRetention);
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { ...props.throttle },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogs),
        // The route's template instead of the path keeps callers' identifiers out of the log.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            time: AccessLogField.contextRequestTime(),
            routeKey: '$context.routeKey',
            status: AccessLogField.contextStatus(),
            responseLength: AccessLogField.contextResponseLength(),
            responseLatency: AccessLogField.contextResponseLatency(),
            integrationError: '$context.integrationErrorMessage',
            authorizerError: '$context.authorizer.error',
          }),
        ),
      },
    });
    this.url = this.api.apiEndpoint;
    // API Gateway answers 5xx when a function throws, times out or is throttled, so one alarm covers them all.
    new RunbookAlarm(this, 'ServerErrorAlarm', {
      impact: `Callers of the ${props.apiName} API get errors that are not theirs.`,
      runbookHeading: 'An API answers with server errors',
      metric: this.api.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 5,
      periods: 2,
      topic: props.alarmTopic,
    });
  }

  widgets(): IWidget[] {
    const sum = { statistic: 'Sum' };
    return [
      new GraphWidget({
        title: `${this.api.httpApiName}: requests`,
        left: [
          this.api.metricCount({ ...sum, label: 'requests' }),
          this.api.metricClientError({ ...sum, label: '4xx' }),
          this.api.metricServerError({ ...sum, label: '5xx' }),
        ],
      }),
      new GraphWidget({
        title: `${this.api.httpApiName}: latency`,
        left: ['p50', 'p99'].map((statistic) =>
          this.api.metricLatency({ statistic, label: `${statistic}, ms` }),
        ),
      }),
    ];
  }

  serve(functions: readonly ServedFunction[]): void {
    for (const { routes, ...props } of functions) {
      const handler = this.functionOf(props);
      const integration = integrationOf(handler);
      for (const [method, path, scope] of routes) {
        const authorizer = { authorizer: this.authorizer, authorizationScopes: [scope] };
        this.api.addRoutes({ path, methods: [method], integration, ...authorizer });
      }
    }
  }

  private functionOf({ id, ...props }: Omit<ServedFunction, 'routes'>): NodeFunction {
    return new NodeFunction(Stack.of(this), id, { ...props, logRetention: this.logRetention });
  }
}

function integrationOf(handler: NodeFunction): HttpLambdaIntegration {
  return new HttpLambdaIntegration(`${handler.node.id}Integration`, handler.function);
}
