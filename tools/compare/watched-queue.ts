import {
  isJsonList,
  isJsonObject,
  objectAt,
  textAt,
  type HostEvent,
  type JsonObject,
} from '../../local/index.ts';
import type { Interceptor } from '../../local/testing.ts';

/** What pollers of the settlement queue did on a local host, in milliseconds. */
export interface WatchedQueue {
  readonly interceptor: Interceptor;
  readonly onEvent: (event: HostEvent) => void;
  /** When the messages were sent that have been received, by their ids. */
  readonly sentAt: ReadonlyMap<string, number>;
  /** Of each message that is done. */
  readonly waits: readonly number[];
  /** From a function's start to its messages' deletion. */
  readonly batches: readonly {
    readonly size: number;
    readonly failed: number;
    readonly milliseconds: number;
  }[];
  /** From sending to receiving, of the latest message of each receive. */
  readonly hops: readonly number[];
}

const QUEUE = 'SettlementQueue';

export function watchQueue(): WatchedQueue {
  const sentAt = new Map<string, number>();
  const sentAtByReceipt = new Map<string, number>();
  const waits: number[] = [];
  const batches: { size: number; failed: number; milliseconds: number }[] = [];
  const hops: number[] = [];
  const received = (body: unknown): void => {
    const sent = listAt(body, 'Messages').map((message) => {
      const at = Number(textAt(objectAt(message, 'Attributes'), 'SentTimestamp'));
      sentAt.set(textAt(message, 'MessageId') ?? '', at);
      sentAtByReceipt.set(textAt(message, 'ReceiptHandle') ?? '', at);
      return at;
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
          const at = sentAtByReceipt.get(textAt(entry, 'ReceiptHandle') ?? '');
          if (at !== undefined) waits.push(Date.now() - at);
        }
      return answer;
    },
    onEvent: (event) => {
      if (event.type === 'batch' && event.queueName.includes(QUEUE))
        batches.push({ size: event.size, failed: event.failed, milliseconds: event.milliseconds });
    },
    sentAt,
    waits,
    batches,
    hops,
  };
}

function listAt(value: unknown, key: string): readonly JsonObject[] {
  const list = isJsonObject(value) ? value[key] : undefined;
  return isJsonList(list) ? list.filter(isJsonObject) : [];
}
