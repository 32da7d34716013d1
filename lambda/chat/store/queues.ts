import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { environmentVariable } from '../../shared/environment.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames, type DrainMessage, type NotificationMessage } from '../contract.ts';

export function notificationQueue(): (message: NotificationMessage) => Promise<void> {
  return queueSender(environmentNames.notificationQueueUrl);
}

export function drainQueue(): (message: DrainMessage) => Promise<void> {
  return queueSender(environmentNames.drainQueueUrl);
}

function queueSender(urlVariable: string): (message: object) => Promise<void> {
  const client = createSqsClient();
  const queueUrl = environmentVariable(urlVariable);
  return async (message) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
  };
}
