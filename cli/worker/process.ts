import type { Message } from '@aws-sdk/client-sqs';
import { Consumer, type ConsumerOptions } from 'sqs-consumer';

type HandleBatch = NonNullable<ConsumerOptions['handleMessageBatch']>;

/** A queue, and what works on its messages. A poll waits at most 20 s for a first one. */
export interface WorkQueue extends Pick<ConsumerOptions, 'queueUrl' | 'sqs' | 'waitTimeSeconds'> {
  /** @returns the ids of the messages that failed */
  readonly work: (messages: readonly Message[]) => Promise<ReadonlySet<string>>;
}

const HABITS: Partial<ConsumerOptions> = {
  // The messages of a killed worker come again within 30 s. A live worker renews that time every 10 s.
  visibilityTimeout: 30,
  heartbeatInterval: 10,
  messageSystemAttributeNames: ['All'],
  // Without it a stop would not wait for the batch in hand. A batch has a limit of its own.
  pollingCompleteWaitTimeMs: 3_600_000,
};

/**
 * Works on batches of at most `batchSize` messages, 1 to 10, one after the other, until it is stopped. Messages that are done
 * are deleted; those that failed come again.
 */
export function process({ work, ...queue }: WorkQueue, batchSize: number): Consumer {
  const handleMessageBatch: HandleBatch = async (messages) => {
    const failed = await work(messages);
    return messages.filter(({ MessageId = '' }) => !failed.has(MessageId));
  };
  const consumer = Consumer.create({ ...queue, ...HABITS, batchSize, handleMessageBatch });
  consumer.start();
  return consumer;
}
