import {
  isJsonList,
  isJsonObject,
  objectAt,
  textAt,
  type HostEvent,
  type JsonObject,
} from '../../local/index.ts';
import type { Interceptor } from '../../local/testing.ts';

/** What pollers of the settlement queue did on a local host. Milliseconds of the epoch. */
export interface WatchedQueue {
  readonly interceptor: Interceptor;
  readonly onEvent: (event: HostEvent) => void;
  /** Of each message that is done, in any order. */
  readonly messages: readonly { readonly sentAt: number; readonly doneAt: number }[];
  /** From a function's start to its messages' deletion. */
  readonly batches: readonly { readonly size: number; readonly milliseconds: number }[];
  /** From sending to receiving, of the latest message of each receive. */
  readonly hops: readonly number[];
}

const QUEUE = 'SettlementQueue';

export function watchQueue(): WatchedQueue {
  const sentAtByReceipt = new Map<string, number>();
  const messages: { sentAt: number; doneAt: number }[] = [];
  const batches: { size: number; milliseconds: number }[] = [];
  const hops: number[] = [];
  const received = (body: unknown): void => {
    const sent = listAt(body, 'Messages').map((message) => {
      const sentAt = Number(textAt(objectAt(message, 'Attributes'), 'SentTimestamp'));
      sentAtByReceipt.set(textAt(message, 'ReceiptHandle') ?? '', sentAt);
      return sentAt;
    });
    if (sent.length > 0) hops.push(Date.now() - Math.max(...sent));
  };
  return {
    interceptor: async ({ action, request }, proceed) => {
      const answer = await proceed();
      const isWatched = textAt(request, 'QueueUrl')?.includes(QUEUE) === true;
      if (isWatched && action === 'ReceiveMessage') received(answer.body);
      if (isWatched && action === 'DeleteMessageBatch')
        for (const entry of listAt(request, 'Entries')) {
          const sentAt = sentAtByReceipt.get(textAt(entry, 'ReceiptHandle') ?? '');
          if (sentAt !== undefined) messages.push({ sentAt, doneAt: Date.now() });
        }
      return answer;
    },
    onEvent: (event) => {
      if (event.type === 'batch' && event.queueName.includes(QUEUE))
        batches.push({ size: event.size, milliseconds: event.milliseconds });
    },
    messages,
    batches,
    hops,
  };
}

function listAt(value: unknown, key: string): readonly JsonObject[] {
  const list = isJsonObject(value) ? value[key] : undefined;
  return isJsonList(list) ? list.filter(isJsonObject) : [];
}
