import { policyAt, type Access } from '../iam/index.ts';
import {
  each,
  encryption,
  honoured,
  honours,
  inert,
  isJsonObject,
  numberWithin,
  only,
  optionalText,
  physicalName,
  propertyAt,
  ResourceError,
  tagList,
  textListAt,
  type Place,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
} from '../template/index.ts';
import type { Sqs } from './sqs.ts';

interface QueueWorld extends Place {
  readonly access: Access;
  readonly awsEndpoint: string;
  readonly sqs: Sqs;
}

/** Minimum, maximum and default. Source: SQS API reference, CreateQueue. */
const NUMBERS = {
  VisibilityTimeout: [0, 43_200, 30],
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
} as const;

const provisionQueue: Provision<QueueWorld> = (resource, world) => {
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

const provisionQueuePolicy: Provision<QueueWorld> = (resource, world) => {
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

export const SQS_TYPES: ResourceTypes<QueueWorld> = {
  'AWS::SQS::Queue': {
    provision: provisionQueue,
    properties: {
      ...honours(
        'QueueName VisibilityTimeout DelaySeconds MaximumMessageSize MessageRetentionPeriod',
        'ReceiveMessageWaitTimeSeconds',
      ),
      ...each('RedrivePolicy.', honoured, 'deadLetterTargetArn maxReceiveCount'),
      RedriveAllowPolicy: inert('Every queue here belongs to the one account.'),
      FifoQueue: only(/^false$/),
      SqsManagedSseEnabled: encryption,
      KmsMasterKeyId: encryption,
      KmsDataKeyReusePeriodSeconds: encryption,
      ...tagList(),
    },
  },
  'AWS::SQS::QueuePolicy': {
    provision: provisionQueuePolicy,
    properties: {
      ...honours('Queues PolicyDocument'),
    },
  },
};
