import { physicalName } from '../template/physical-name.ts';
import { isJsonObject } from '../template/template.ts';
import { numberWithin, optionalText, propertyAt, ResourceError } from '../template/resource.ts';
import type { ResourceRequest } from '../template/resource.ts';
import type { Provision, World } from '../world.ts';

/** What of the world the resources of this file touch. */
type Reach = Pick<World, 'accountId' | 'awsEndpoint' | 'region' | 'sqs'>;

/** Minimum, maximum and default of each number that `CreateQueue` takes. */
const NUMBERS = {
  VisibilityTimeout: [0, 43_200, 30],
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
} as const;

/** AWS::SQS::Queue */
export const provisionQueue: Provision<Reach> = (resource, world) => {
  const queueName =
    optionalText(resource, 'QueueName') ?? physicalName(resource.stackName, resource.logicalId, 80);
  const queueUrl = `${world.awsEndpoint}/${world.accountId}/${queueName}`;
  const queueArn = `arn:aws:sqs:${world.region}:${world.accountId}:${queueName}`;
  const numbers = Object.entries(NUMBERS).map(([property, [minimum, maximum, byDefault]]) => [
    property,
    String(numberWithin(resource, property, { minimum, maximum, byDefault })),
  ]);
  world.sqs.createQueue(
    { queueName, queueUrl, queueArn },
    { ...Object.fromEntries(numbers), ...redrive(resource) },
  );
  return { ref: queueUrl, attributes: { Arn: queueArn, QueueName: queueName, QueueUrl: queueUrl } };
};

function redrive(resource: ResourceRequest): Record<string, string> {
  const policy = propertyAt(resource, 'RedrivePolicy');
  if (policy === undefined) return {};
  const target = isJsonObject(policy) ? policy['deadLetterTargetArn'] : undefined;
  const receives = isJsonObject(policy) ? Number(policy['maxReceiveCount']) : NaN;
  if (typeof target !== 'string')
    throw new ResourceError(resource, 'RedrivePolicy.deadLetterTargetArn is missing.');
  if (!Number.isInteger(receives) || receives < 1 || receives > 1000) {
    throw new ResourceError(resource, 'RedrivePolicy.maxReceiveCount must be between 1 and 1000.');
  }
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: target, maxReceiveCount: receives }) };
}
