import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { parseJson } from '../../cli/shared/files.ts';

/** A dead-letter queue, and the queue that its messages come from. */
interface Redrive {
  readonly name: string;
  readonly deadLetterQueueUrl: string;
  readonly queueUrl: string;
}

const redrivePolicy = v.object({ deadLetterTargetArn: v.string() });

/** The queues of the app that have a dead-letter queue. */
export async function findRedrives(sqs: SQSClient): Promise<Redrive[]> {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  const queues = await Promise.all(
    QueueUrls.map(async (QueueUrl) => {
      const AttributeNames = ['QueueArn', 'RedrivePolicy'] as const;
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
      );
      const policy = v.safeParse(redrivePolicy, parseJson(Attributes['RedrivePolicy'] ?? ''));
      return {
        queueUrl: QueueUrl,
        arn: Attributes['QueueArn'],
        target: policy.success ? policy.output.deadLetterTargetArn : undefined,
      };
    }),
  );
  return queues.flatMap(({ target }) => {
    const source = queues.find((queue) => queue.target === target);
    const deadLetters = queues.find(({ arn }) => arn === target);
    if (target === undefined || source === undefined || deadLetters === undefined) return [];
    return [
      {
        name: target.split(':').at(-1) ?? target,
        deadLetterQueueUrl: deadLetters.queueUrl,
        queueUrl: source.queueUrl,
      },
    ];
  });
}

/**
 * Sends what lies in the dead-letter queues where it came from, as an operator does who answers the alarm.
 *
 * @param onRedriven by the dead-letter queue's name
 */
export async function redrive(
  sqs: SQSClient,
  redrives: readonly Redrive[],
  onRedriven: (name: string, count: number) => void,
): Promise<number> {
  let count = 0;
  for (const { name, deadLetterQueueUrl, queueUrl } of redrives) {
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) break;
      const entries = Messages.map(({ Body = '' }, index) => ({ Id: String(index), MessageBody: Body }));
      const sent = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
      const done = new Set((sent.Successful ?? []).map(({ Id }) => Id));
      const receipts = Messages.flatMap(({ ReceiptHandle }, index) =>
        done.has(String(index)) ? [{ Id: String(index), ReceiptHandle }] : [],
      );
      if (receipts.length === 0) break;
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: deadLetterQueueUrl, Entries: receipts }));
      onRedriven(name, receipts.length);
      count += receipts.length;
    }
  }
  return count;
}
