import {
  each,
  encryption,
  honoured,
  honours,
  inert,
  only,
  tagList,
  type ResourceTypes,
} from '../template/index.ts';
import { provisionQueue, provisionQueuePolicy, type QueueWorld } from './provision-queue.ts';

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
