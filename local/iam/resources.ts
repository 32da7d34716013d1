import {
  description,
  honours,
  inert,
  objectListAt,
  optionalText,
  physicalName,
  propertyAt,
  refused,
  requiredText,
  ResourceError,
  tagList,
  textListAt,
  type Json,
  type Place,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
} from '../template/index.ts';
import type { Access } from './access.ts';
import { PolicyError } from './condition.ts';
import { compilePolicy, type PolicyKind, type Statement } from './policy.ts';

const allow = (...Action: readonly string[]): Json => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
});
const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'] as const;

/** The actions that API Gateway's log role needs. Source: API Gateway developer guide, "Set up CloudWatch logging". */
export const API_GATEWAY_LOG_ACTIONS = [
  ...LOGS,
  'logs:DescribeLogGroups',
  'logs:DescribeLogStreams',
  'logs:GetLogEvents',
  'logs:FilterLogEvents',
] as const;

/** Those that CDK attaches, by the name after `arn:aws:iam::aws:policy/`. Source: AWS Managed Policy Reference. */
const AWS_MANAGED_POLICIES: Readonly<Record<string, Json>> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...LOGS),
  'service-role/AWSLambdaSQSQueueExecutionRole': allow(
    'sqs:ReceiveMessage',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    ...LOGS,
  ),
  'service-role/AWSLambdaDynamoDBExecutionRole': allow(
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
    ...LOGS,
  ),
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs': allow(...API_GATEWAY_LOG_ACTIONS),
  AWSXRayDaemonWriteAccess: allow(
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
    'xray:GetSamplingStatisticSummaries',
  ),
};

interface PolicyWorld extends Place {
  readonly access: Access;
  readonly managedPolicies: Map<string, readonly Statement[]>;
}

const provisionRole: Provision<PolicyWorld> = (resource, world) => {
  const roleName =
    optionalText(resource, 'RoleName') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const roleArn = roleArnOf(world, roleName);
  world.access.addRole(roleArn);
  world.access.attachToResource(roleArn, policyAt(resource, 'AssumeRolePolicyDocument', 'trust'));
  for (const [index, policy] of objectListAt(resource, 'Policies').entries()) {
    const path = `Policies[${index}].PolicyDocument`;
    world.access.attach(roleArn, policyOf(resource, path, policy['PolicyDocument'] ?? null, 'identity'));
  }
  for (const policyArn of textListAt(resource, 'ManagedPolicyArns')) {
    world.access.attach(roleArn, managedPolicy(resource, world, policyArn));
  }
  const boundaryArn = optionalText(resource, 'PermissionsBoundary');
  if (boundaryArn !== undefined) {
    world.access.setBoundary(roleArn, managedPolicy(resource, world, boundaryArn));
  }
  return { ref: roleName, attributes: { Arn: roleArn, RoleId: `AROA${roleName}` } };
};

const provisionPolicy: Provision<PolicyWorld> = (resource, world) => {
  const name = requiredText(resource, 'PolicyName');
  attachToRoles(resource, world, policyAt(resource, 'PolicyDocument', 'identity'));
  return { ref: name, attributes: { Id: name } };
};

const provisionManagedPolicy: Provision<PolicyWorld> = (resource, world) => {
  const name =
    optionalText(resource, 'ManagedPolicyName') ?? physicalName(resource.stackName, resource.logicalId, 128);
  const policyArn = `arn:aws:iam::${world.accountId}:policy/${name}`;
  const statements = policyAt(resource, 'PolicyDocument', 'identity');
  world.managedPolicies.set(policyArn, statements);
  attachToRoles(resource, world, statements);
  return { ref: policyArn, attributes: { PolicyArn: policyArn } };
};

export function policyAt(resource: ResourceRequest, path: string, kind: PolicyKind): readonly Statement[] {
  return policyOf(resource, path, propertyAt(resource, path) ?? null, kind);
}

/** AWS checks this when it makes a resource with a role. @param words AWS's refusal. @throws ResourceError */
export function requireAssumable(
  resource: ResourceRequest,
  world: Pick<PolicyWorld, 'access'>,
  role: {
    readonly roleArn: string;
    readonly service: string;
    readonly sourceArn: string;
    readonly words: string;
  },
): void {
  const { roleArn, service, sourceArn, words } = role;
  if (!world.access.hasRole(roleArn))
    throw new ResourceError(resource, `${roleArn} names no role of this app.`);
  const request = { action: 'sts:AssumeRole', resourceArn: roleArn } as const;
  const refusal = world.access.refusalOf({ ...request, principal: { kind: 'service', service, sourceArn } });
  if (refusal === undefined) return;
  throw new ResourceError(
    resource,
    `${words} (The AssumeRolePolicyDocument of ${roleArn} must allow ${service}.)`,
  );
}

function attachToRoles(
  resource: ResourceRequest,
  world: PolicyWorld,
  statements: readonly Statement[],
): void {
  for (const roleName of textListAt(resource, 'Roles')) {
    const roleArn = roleArnOf(world, roleName);
    if (!world.access.hasRole(roleArn)) {
      throw new ResourceError(resource, `Roles: ${roleName} names no role of this app.`);
    }
    world.access.attach(roleArn, statements);
  }
}

function managedPolicy(
  resource: ResourceRequest,
  world: PolicyWorld,
  policyArn: string,
): readonly Statement[] {
  const own = world.managedPolicies.get(policyArn);
  if (own !== undefined) return own;
  const name = policyArn.replace(/^arn:aws:iam::aws:policy\//, '');
  const document = name === policyArn ? undefined : AWS_MANAGED_POLICIES[name];
  if (document === undefined) {
    throw new ResourceError(resource, `the local host does not know what the policy ${policyArn} says.`);
  }
  return compilePolicy(document, 'identity', policyArn);
}

/** @throws ResourceError where the host does not understand the document */
export function policyOf(
  resource: ResourceRequest,
  path: string,
  document: Json,
  kind: PolicyKind,
): readonly Statement[] {
  try {
    return compilePolicy(document, kind, `${resource.stackName}/${resource.logicalId} ${path}`);
  } catch (error) {
    throw error instanceof PolicyError ? new ResourceError(resource, `${path}.${error.message}`) : error;
  }
}

function roleArnOf(world: PolicyWorld, roleName: string): string {
  return `arn:aws:iam::${world.accountId}:role/${roleName}`;
}

export const IAM_TYPES: ResourceTypes<PolicyWorld> = {
  'AWS::IAM::Role': {
    provision: provisionRole,
    properties: {
      ...honours(
        'RoleName AssumeRolePolicyDocument ManagedPolicyArns Policies[].PolicyName',
        'Policies[].PolicyDocument PermissionsBoundary',
      ),
      Path: inert('Roles here have no path.'),
      Description: description,
      MaxSessionDuration: inert('Credentials here do not expire.'),
      ...tagList(),
    },
  },
  'AWS::IAM::Policy': {
    provision: provisionPolicy,
    properties: {
      ...honours('PolicyName PolicyDocument Roles'),
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
  'AWS::IAM::ManagedPolicy': {
    provision: provisionManagedPolicy,
    properties: {
      ...honours('ManagedPolicyName PolicyDocument Roles'),
      Description: description,
      Path: inert('Policies here have no path.'),
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
};
