import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DrainMessage, NotificationMessage } from '../contract.ts';

/** Sends messages to one of the queues. */
export function queueSender(
  client: SQSClient,
  queueUrl: string,
): (message: NotificationMessage | DrainMessage) => Promise<void> {
  return async (message) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
  };
}
