import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames, type SettlementMessage } from '../contract.ts';

/** SQS takes no more in one request. */
export const SEND_BATCH_SIZE = 10;

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

export function settlementQueue(
  client: SQSClient,
  queueUrl = environmentVariable(environmentNames.settlementQueueUrl),
) {
  return {
    /** At most `SEND_BATCH_SIZE`. If SQS keeps refusing some the call fails, and the next run finds them missing. */
    send: async (factIds: readonly string[]): Promise<void> => {
      let entries = factIds.map((factId, number) => ({
        Id: String(number),
        MessageBody: JSON.stringify({ factId } satisfies SettlementMessage),
      }));
      for (let attempt = 0; entries.length > 0; attempt++) {
        if (attempt > 3) throw new Error('SQS refused messages four times in a row.');
        const { Failed: failed = [] } = await client.send(
          new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }),
        );
        const refused = new Set(failed.map(({ Id }) => Id));
        entries = entries.filter(({ Id }) => refused.has(Id));
      }
    },

    /** Waiting, in flight or delayed. Approximate, and about a minute behind. */
    messagesWaiting: async (): Promise<number> => {
      const { Attributes: attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] }),
      );
      return COUNTS.reduce((sum, name) => sum + Number(attributes[name] ?? 0), 0);
    },
  };
}

export type SettlementQueue = ReturnType<typeof settlementQueue>;
