import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { CfnAccount } from 'aws-cdk-lib/aws-apigateway';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct, IDependable } from 'constructs';

/**
 * A setting of the account and region, without which API Gateway refuses a WebSocket stage with an access log. It
 * outlives the stack, because other stacks' APIs use it. With `-c apiGatewayLogRole=keep` it stays as it is.
 * @returns what a stage with such a log depends on
 * @throws Error if the context has another value
 */
export function apiGatewayLogRole(scope: Construct): IDependable | undefined {
  const wanted: unknown = scope.node.tryGetContext('apiGatewayLogRole');
  if (wanted === 'keep') return undefined;
  if (wanted !== undefined) {
    throw new Error(`apiGatewayLogRole is keep, or not given at all, and not ${JSON.stringify(wanted)}.`);
  }
  const role = new Role(scope, 'ApiGatewayLogRole', {
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    managedPolicies: [
      ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs'),
    ],
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
    reason:
      'API Gateway writes the logs of all APIs of the account by this role, and refuses one that may do less than this policy, which AWS made for it and keeps up to date.',
  });
  const account = new CfnAccount(scope, 'ApiGatewayAccount', { cloudWatchRoleArn: role.roleArn });
  // Even if the first deployment fails: the setting stays and must not name a role that is gone.
  for (const kept of [role, account]) kept.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return account;
}
