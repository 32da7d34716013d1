import { physicalName } from './template/physical-name.ts';
import { optionalText } from './template/resource.ts';
import type { ResourceRequest } from './template/resource.ts';
import type { Provision, World } from './world.ts';

/** What of the world the resources of this file touch. */
type Reach = Pick<World, 'accountId' | 'logGroups' | 'region'>;

/** A resource that does nothing here, but that others may refer to by name or ARN. */
export function provisionInert(
  nameProperty: string | undefined,
  arnOf: (name: string, world: Reach, resource: ResourceRequest) => string,
  options: { readonly refIsArn?: boolean } = {},
): Provision<Reach> {
  return (resource, world) => {
    const given = nameProperty === undefined ? undefined : optionalText(resource, nameProperty);
    const name = given ?? physicalName(resource.stackName, resource.logicalId);
    const arn = arnOf(name, world, resource);
    return {
      ref: options.refIsArn === true ? arn : name,
      attributes: { Arn: arn, TopicArn: arn, TopicName: name, Id: name },
    };
  };
}

/** AWS::Logs::LogGroup: whoever may write to it does, and nobody keeps the lines. */
export const provisionLogGroup: Provision<Reach> = (resource, world) => {
  const name = optionalText(resource, 'LogGroupName') ?? physicalName(resource.stackName, resource.logicalId);
  world.logGroups.add(name);
  return {
    ref: name,
    attributes: { Arn: `arn:aws:logs:${world.region}:${world.accountId}:log-group:${name}:*` },
  };
};
