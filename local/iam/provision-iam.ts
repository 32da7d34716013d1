import { AWS_MANAGED_POLICIES } from './managed-policies.ts';
import { PolicyError } from './policy-error.ts';
import { compilePolicy } from './statement.ts';
import type { PolicyKind, Statement } from './statement.ts';
import { physicalName } from '../template/physical-name.ts';
import type { Json } from '../template/template.ts';
import {
  objectListAt,
  optionalText,
  propertyAt,
  requiredText,
  ResourceError,
  textListAt,
} from '../template/resource.ts';
import type { ResourceRequest } from '../template/resource.ts';
import type { Provision, World } from '../world.ts';

/** What of the world the resources of this file touch. */
type Reach = Pick<World, 'access' | 'accountId' | 'functions' | 'managedPolicies' | 'region' | 'sqs'>;

/** AWS::IAM::Role */
export const provisionRole: Provision<Reach> = (resource, world) => {
  const roleName =
    optionalText(resource, 'RoleName') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const roleArn = roleArnOf(world, roleName);
  world.access.addRole(roleArn);
  world.access.attachToResource(roleArn, policyAt(resource, 'AssumeRolePolicyDocument', 'trust'));
  for (const [index, policy] of objectListAt(resource, 'Policies').entries()) {
    const path = `Policies[${index}].PolicyDocument`;
    world.access.attach(roleArn, compiled(resource, path, policy['PolicyDocument'] ?? null, 'identity'));
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

/** AWS::IAM::Policy */
export const provisionPolicy: Provision<Reach> = (resource, world) => {
  const name = requiredText(resource, 'PolicyName');
  attachToRoles(resource, world, policyAt(resource, 'PolicyDocument', 'identity'));
  return { ref: name, attributes: { Id: name } };
};

/** AWS::IAM::ManagedPolicy */
export const provisionManagedPolicy: Provision<Reach> = (resource, world) => {
  const name =
    optionalText(resource, 'ManagedPolicyName') ?? physicalName(resource.stackName, resource.logicalId, 128);
  const policyArn = `arn:aws:iam::${world.accountId}:policy/${name}`;
  const statements = policyAt(resource, 'PolicyDocument', 'identity');
  world.managedPolicies.set(policyArn, statements);
  attachToRoles(resource, world, statements);
  return { ref: policyArn, attributes: { PolicyArn: policyArn } };
};

/** AWS::SQS::QueuePolicy */
export const provisionQueuePolicy: Provision<Reach> = (resource, world) => {
  const statements = policyAt(resource, 'PolicyDocument', 'resource');
  for (const queueUrl of textListAt(resource, 'Queues')) {
    const queueArn = `arn:aws:sqs:${world.region}:${world.accountId}:${queueUrl.split('/').at(-1)}`;
    if (world.sqs.visibilityTimeoutSeconds(queueArn) === undefined) {
      throw new ResourceError(resource, `Queues: ${queueUrl} names no queue of this app.`);
    }
    world.access.attachToResource(queueArn, statements);
    world.sqs.setPolicy(queueArn, propertyAt(resource, 'PolicyDocument') ?? null);
  }
  return { ref: physicalName(resource.stackName, resource.logicalId), attributes: {} };
};

/** AWS::Lambda::Permission: a statement of the function's resource-based policy. */
export const provisionPermission: Provision<Reach> = (resource, world) => {
  const name = requiredText(resource, 'FunctionName');
  const found = [...world.functions.values()].find(
    ({ definition }) => definition.functionName === name || definition.functionArn === name,
  );
  if (found === undefined)
    throw new ResourceError(resource, `FunctionName ${name} names no function of this app.`);
  const { functionArn } = found.definition;
  const principal = requiredText(resource, 'Principal');
  const sourceArn = optionalText(resource, 'SourceArn');
  const sourceAccount = optionalText(resource, 'SourceAccount');
  const document: Json = {
    Statement: {
      Effect: 'Allow',
      Principal: principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal },
      Action: requiredText(resource, 'Action'),
      Resource: functionArn,
      Condition: {
        ...(sourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': sourceArn } }),
        ...(sourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': sourceAccount } }),
      },
    },
  };
  world.access.attachToResource(functionArn, compiled(resource, 'Permission', document, 'resource'));
  return { ref: physicalName(resource.stackName, resource.logicalId), attributes: {} };
};

/**
 * The policy document at a path of the properties.
 *
 * @throws ResourceError where it has what the host does not understand.
 */
export function policyAt(resource: ResourceRequest, path: string, kind: PolicyKind): readonly Statement[] {
  return compiled(resource, path, propertyAt(resource, path) ?? null, kind);
}

/**
 * Makes sure that a service may act as a role, as AWS does when a resource is made that names the role.
 *
 * @param words what the service says on AWS where it may not
 * @throws ResourceError
 */
export function requireAssumable(
  resource: ResourceRequest,
  world: Pick<World, 'access'>,
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

function attachToRoles(resource: ResourceRequest, world: Reach, statements: readonly Statement[]): void {
  for (const roleName of textListAt(resource, 'Roles')) {
    const roleArn = roleArnOf(world, roleName);
    if (!world.access.hasRole(roleArn)) {
      throw new ResourceError(resource, `Roles: ${roleName} names no role of this app.`);
    }
    world.access.attach(roleArn, statements);
  }
}

function managedPolicy(resource: ResourceRequest, world: Reach, policyArn: string): readonly Statement[] {
  const own = world.managedPolicies.get(policyArn);
  if (own !== undefined) return own;
  const name = policyArn.replace(/^arn:aws:iam::aws:policy\//, '');
  const document = name === policyArn ? undefined : AWS_MANAGED_POLICIES[name];
  if (document === undefined) {
    throw new ResourceError(resource, `the local host does not know what the policy ${policyArn} says.`);
  }
  return compilePolicy(document, 'identity', policyArn);
}

function compiled(
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

function roleArnOf(world: Reach, roleName: string): string {
  return `arn:aws:iam::${world.accountId}:role/${roleName}`;
}
