import { physicalName } from '../physical-name.ts';
import { optionalText } from './resource.ts';
import type { Provision, ResourceRequest, World } from './resource.ts';

/** AWS::IAM::Role: nothing but an identity to sign with. */
export const provisionRole: Provision = (resource, world) => {
  const roleName =
    optionalText(resource, 'RoleName') ?? physicalName(resource.stackName, resource.logicalId, 64);
  const arn = `arn:aws:iam::${world.accountId}:role/${roleName}`;
  world.credentials.credentialsOf(arn);
  return { ref: roleName, attributes: { Arn: arn, RoleId: `AROA${roleName}` } };
};

/** A resource that does nothing here, but that others may refer to by name or ARN. */
export function provisionInert(
  nameProperty: string | undefined,
  arnOf: (name: string, world: World, resource: ResourceRequest) => string,
  options: { readonly refIsArn?: boolean } = {},
): Provision {
  return (resource, world) => {
    const given = nameProperty === undefined ? undefined : optionalText(resource, nameProperty);
    const name = given ?? physicalName(resource.stackName, resource.logicalId);
    const arn = arnOf(name, world, resource);
    return {
      ref: options.refIsArn === true ? arn : name,
      attributes: { Arn: arn, TopicArn: arn, TopicName: name, PolicyArn: arn, Id: name },
    };
  };
}
