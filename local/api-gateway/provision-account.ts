import { API_GATEWAY_LOG_ACTIONS, requireAssumable, type Access } from '../iam/index.ts';
import { physicalName, requiredText, ResourceError, type Place, type Provision } from '../template/index.ts';

export interface AccountWorld extends Place {
  readonly access: Access;
  /** What is set once for the account and region. */
  readonly account: { apiGatewayLogRole?: string };
}

const SESSION = 'BackplaneAssumeRoleSession';

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
  const principal = { kind: 'role', roleArn, sessionName: SESSION } as const;
  for (const action of API_GATEWAY_LOG_ACTIONS) {
    const refusal = world.access.refusalOf({ principal, action, resourceArn: '*' });
    if (refusal !== undefined) throw new ResourceError(resource, `${words} (${refusal})`);
  }
  world.account.apiGatewayLogRole = roleArn;
  const id = physicalName(resource.stackName, resource.logicalId);
  return { ref: id, attributes: { Id: id } };
};
