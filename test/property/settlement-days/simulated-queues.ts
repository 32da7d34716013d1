import { queues } from './environment.ts';
import type { Draw } from '../draw.ts';
import type { SentMessage } from './simulated-aws.ts';

/** What goes wrong in a world, in per cent of the messages and invocations that it may happen to. */
export interface Disorder {
  readonly seed: number;
  /** Settlement messages that never arrive. */
  readonly lossPercent: number;
  /** Messages and requests that come two or three times. */
  readonly duplicatePercent: number;
  /** Messages that come up to 15 minutes late. */
  readonly delayPercent: number;
  /** Invocations in which a write fails before or after its effect, or is sent twice; half of them die of it. */
  readonly faultPercent: number;
}

export interface Message extends SentMessage {
  readonly id: string;
  visibleAt: number;
  receiveCount: number;
}

/** Each run asks for the next: every second one doubled would be a flood of runs, and show nothing more. */
const RUN_DUPLICATE_PERCENT = 5;

/**
 * The reconcile queue and the settlement queue. Without disorder, messages come in the order of their time, in full
 * batches; with it, in any order and batch, late, doubled, or not at all.
 */
export function simulatedQueues(clock: () => number, draw: Draw, disorder: Disorder | undefined) {
  const messages: Message[] = [];
  let messageCount = 0;
  const happens = (percent: number): boolean => disorder !== undefined && draw(100) < percent;
  const isOfSettlement = ({ queueUrl }: SentMessage): boolean => queueUrl === queues.settlement.queueUrl;

  function take(from: readonly Message[]): Message | undefined {
    const taken = disorder === undefined ? earliest(from) : from[draw(Math.max(1, from.length))];
    if (taken !== undefined) messages.splice(messages.indexOf(taken), 1);
    return taken;
  }

  return {
    accept: (message: SentMessage): void => {
      const { lossPercent = 0, duplicatePercent = 0, delayPercent = 0 } = disorder ?? {};
      const isSettlement = isOfSettlement(message);
      const copies = happens(isSettlement ? duplicatePercent : RUN_DUPLICATE_PERCENT) ? 2 + draw(2) : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (isSettlement && happens(lossPercent)) continue;
        const lateSeconds = happens(delayPercent) ? draw(900) : 0;
        const visibleAt = clock() + 100 + (message.delaySeconds + lateSeconds) * 1000;
        messages.push({ ...message, id: `m${(messageCount += 1)}`, visibleAt, receiveCount: 0 });
      }
    },
    /** One batch of a queue, taken off it: what a poller has when its window ends. Empty if nothing is due. */
    receive: (): Message[] => {
      const first = take(messages.filter(({ visibleAt }) => visibleAt <= clock()));
      if (first === undefined || !isOfSettlement(first)) return first === undefined ? [] : [first];
      const { windowSeconds, batchSize } = queues.settlement;
      const size = disorder === undefined ? batchSize : 1 + draw(batchSize);
      const batch = [first];
      while (batch.length < size) {
        const windowEnd = clock() + windowSeconds * 1000;
        const mate = take(messages.filter((each) => isOfSettlement(each) && each.visibleAt <= windowEnd));
        if (mate === undefined) break;
        batch.push(mate);
      }
      return batch;
    },
    /** Messages that failed come again after the visibility timeout; after the last receive, they do not. */
    giveBack: (failed: readonly Message[], takenAt: number): void => {
      for (const message of failed) {
        const queue = isOfSettlement(message) ? queues.settlement : queues.reconcile;
        message.receiveCount += 1;
        message.visibleAt = takenAt + queue.visibilityTimeoutSeconds * 1000;
        // Then it is in the dead-letter queue, and the run that finds its fact missing sends another.
        if (message.receiveCount < queue.maxReceiveCount) messages.push(message);
      }
    },
    waiting: (queueUrl: string): number => messages.filter((each) => each.queueUrl === queueUrl).length,
    nextAt: (): number => earliest(messages)?.visibleAt ?? Number.POSITIVE_INFINITY,
  };
}

function earliest(messages: readonly Message[]): Message | undefined {
  return messages.reduce<Message | undefined>(
    (first, each) => (first === undefined || each.visibleAt < first.visibleAt ? each : first),
    undefined,
  );
}
