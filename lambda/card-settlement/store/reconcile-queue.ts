import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames, type ReconcileMessage } from '../contract.ts';

export type SendReconcileMessage = (message: ReconcileMessage, delaySeconds?: number) => Promise<void>;

export function reconcileQueueSender(
  client: SQSClient,
  queueUrl = environmentVariable(environmentNames.reconcileQueueUrl),
): SendReconcileMessage {
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
