import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ReconcileMessage } from '../contract.ts';

/** Sends messages to the reconcile queue. */
export type SendReconcileMessage = (message: ReconcileMessage, delaySeconds?: number) => Promise<void>;

export function createSqsClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
}

export function reconcileQueueSender(client: SQSClient, queueUrl: string): SendReconcileMessage {
  return async (message, delaySeconds = 0) => {
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(message),
        ...(delaySeconds === 0 ? {} : { DelaySeconds: delaySeconds }),
      }),
    );
  };
}
