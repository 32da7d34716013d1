import { ArnFormat, Stack } from 'aws-cdk-lib';
import { WebSocketApi, WebSocketStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { WebSocketLambdaAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import {
  WebSocketLambdaIntegration,
  WebSocketMockIntegration,
} from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

export interface TokenWebSocketApiProps {
  /** The API's name; the local host serves it below a path of this name. */
  readonly apiName: string;
  readonly description: string;
  /** Says who connects, from the query parameter `token`. */
  readonly authorizer: NodeFunction;
  /** The last part of the urls. */
  readonly stageName: string;
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
}

/**
 * A WebSocket API that only those reach whose token an authorizer accepts. Connecting runs no function but that one:
 * nothing can be pushed to a connection before it is established, so there is nothing to do.
 */
export class TokenWebSocketApi extends Construct {
  /** `wss://…`, without a slash at the end. */
  readonly url: string;
  /** `https://…`: where frames to connections are posted. */
  readonly connectionsUrl: string;
  /** What a function must be allowed to invoke to post a frame to any connection. */
  readonly postArn: string;
  private readonly api: WebSocketApi;

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
      },
    });
    // No access logs: a WebSocket API writes them with a role of the whole account, which is not ours to set.
    const stage = new WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName: props.stageName,
      autoDeploy: true,
      throttle: { ...props.throttle },
    });
    this.url = stage.url;
    this.connectionsUrl = stage.callbackUrl;
    this.postArn = Stack.of(this).formatArn({
      service: 'execute-api',
      resource: this.api.apiId,
      resourceName: `${props.stageName}/POST/@connections/*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }

  /** @param routeKey what `action` a frame names, or `$disconnect`, or `$default` for what no other route takes */
  addRoute(routeKey: string, handler: NodeFunction): void {
    this.api.addRoute(routeKey, {
      integration: new WebSocketLambdaIntegration(`${handler.node.id}Integration`, handler.function),
    });
  }
}
