import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
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
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';
import { RunbookAlarm } from './runbook-alarm.ts';

export interface JwtHttpApiProps {
  /** The API's name; the local host serves it below a path of this name. */
  readonly apiName: string;
  readonly description: string;
  /** Exact value of the tokens' `iss`. */
  readonly issuer: string;
  /** Clients whose tokens are accepted. */
  readonly audience: readonly string[];
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  readonly logRetention: RetentionDays;
  readonly alarmTopic: ITopic;
  /** Answers what no route does. */
  readonly notFound: NodeFunction;
}

/** A route of an API and the function behind it. */
export interface RouteProps {
  readonly method: HttpMethod;
  readonly path: string;
  /** One of these must be in the token. */
  readonly scopes: readonly string[];
  readonly handler: NodeFunction;
}

/** An HTTP API every route of which asks for an access token with a scope; all other paths are 404 to everybody. */
export class JwtHttpApi extends Construct {
  readonly api: HttpApi;
  /** Without a slash at the end. */
  readonly url: string;
  private readonly authorizer: IHttpRouteAuthorizer;
  private readonly integrations = new Map<NodeFunction, HttpLambdaIntegration>();

  constructor(scope: Construct, id: string, props: JwtHttpApiProps) {
    super(scope, id);
    this.authorizer = new HttpJwtAuthorizer('Tokens', props.issuer, { jwtAudience: [...props.audience] });
    this.api = new HttpApi(this, 'Api', {
      apiName: props.apiName,
      description: props.description,
      createDefaultStage: false,
      defaultIntegration: this.integrationOf(props.notFound),
    });
    Validations.of(this.api.node.findChild('DefaultRoute')).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'It takes what is no route of this API, and answers 404 to everybody, so that an unknown path reads the same with and without a token. Its function is granted nothing. Every other route asks for a token with a scope.',
    });
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { ...props.throttle },
      accessLogSettings: {
        destination: new LogGroupLogDestination(accessLogs),
        // The route's template, not the path: identifiers of callers stay out of the log.
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
    // API Gateway answers 5xx for a function that throws, times out or is throttled, so this stands for all of them.
    new RunbookAlarm(this, 'ServerErrorAlarm', {
      impact: `Callers of the ${props.apiName} API get errors that are not theirs.`,
      runbookHeading: 'An API answers with server errors',
      metric: this.api.metricServerError({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 5,
      periods: 2,
      topic: props.alarmTopic,
    });
  }

  /** What a dashboard shows of it. */
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

  addRoute({ method, path, scopes, handler }: RouteProps): void {
    this.api.addRoutes({
      path,
      methods: [method],
      integration: this.integrationOf(handler),
      authorizer: this.authorizer,
      authorizationScopes: [...scopes],
    });
  }

  /** A function that serves several routes has one integration. */
  private integrationOf(handler: NodeFunction): HttpLambdaIntegration {
    let integration = this.integrations.get(handler);
    if (integration === undefined) {
      integration = new HttpLambdaIntegration(`${handler.node.id}Integration`, handler.function);
      this.integrations.set(handler, integration);
    }
    return integration;
  }
}
