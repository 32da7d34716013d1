import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { NotificationMessage } from '../contract.ts';

/** Sends messages to the notification queue. */
export type SendNotificationMessage = (message: NotificationMessage) => Promise<void>;

export function notificationQueueSender(client: SQSClient, queueUrl: string): SendNotificationMessage {
  return async (message) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
  };
}
