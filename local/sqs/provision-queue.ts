import { policyAt, type Access } from '../iam/index.ts';
import {
  isJsonObject,
  numberWithin,
  optionalText,
  physicalName,
  propertyAt,
  ResourceError,
  textListAt,
  type Place,
  type Provision,
  type ResourceRequest,
} from '../template/index.ts';
import type { Sqs } from './sqs.ts';

export interface QueueWorld extends Place {
  readonly access: Access;
  readonly awsEndpoint: string;
  readonly sqs: Sqs;
}

/** Minimum, maximum and default of each number that `CreateQueue` takes. */
const NUMBERS = {
  VisibilityTimeout: [0, 43_200, 30],
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
} as const;

/** AWS::SQS::Queue */
export const provisionQueue: Provision<QueueWorld> = (resource, world) => {
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

/** AWS::SQS::QueuePolicy */
export const provisionQueuePolicy: Provision<QueueWorld> = (resource, world) => {
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
