import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Message } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { WorkQueue } from './process.ts';

/** What the app's handlers of SQS events ask for. */
export type QueueHandler = (
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse | void>;

export interface Invoking {
  readonly handler: QueueHandler;
  readonly queueUrl: string;
  readonly region: string;
  /** A batch that takes longer fails. */
  readonly limitSeconds: number;
}

/** Hands batches to a handler as Lambda does. */
export function invoking({ handler, queueUrl, region, limitSeconds }: Invoking): WorkQueue['work'] {
  const [account = '', name = ''] = new URL(queueUrl).pathname.slice(1).split('/');
  const place = { awsRegion: region, eventSourceARN: `arn:aws:sqs:${region}:${account}:${name}` };
  return async (messages) => {
    const deadline = Date.now() + limitSeconds * 1000;
    const context = { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => deadline - Date.now() };
    const event = { Records: messages.map((message) => ({ ...recordOf(message), ...place })) };
    const ended = new AbortController();
    try {
      const response = await Promise.race([handler(event, context), limit(limitSeconds, ended.signal)]);
      return new Set(response?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    } finally {
      ended.abort();
    }
  };
}

async function limit(seconds: number, signal: AbortSignal): Promise<undefined> {
  const isOver = await wait(seconds * 1000, true, { signal }).catch(() => false);
  if (isOver) throw new Error(`It took longer than ${seconds} s.`);
}

/** The app's messages have no attributes of their own. */
function recordOf(message: Message): Omit<SQSRecord, 'awsRegion' | 'eventSourceARN'> {
  const { MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', Attributes = {} } = message;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: '',
      SentTimestamp: '',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '',
      ...Attributes,
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
  };
}
