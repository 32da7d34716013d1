import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Sends messages of one kind to a queue. */
export function queueSender<Message>(
  client: SQSClient,
  queueUrl: string,
): (message: Message) => Promise<void> {
  return async (message) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) }));
  };
}
