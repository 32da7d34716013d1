import type { SentMessage } from './aws.ts';
import type { Draw } from './draw.ts';
import { createLog, type Log } from './log.ts';

/** What goes wrong in a world, in per cent of the messages and invocations that it may happen to. */
export interface Disorder {
  readonly seed: number;
  /** Messages that never arrive, of queues that the app does not trust. */
  readonly lossPercent: number;
  /** Messages and requests that come two or three times. */
  readonly duplicatePercent: number;
  /** Messages that come up to 15 minutes late. */
  readonly delayPercent: number;
  /** Invocations in which a write fails before or after its effect, or is sent twice; half of them die of it. */
  readonly faultPercent: number;
  /** Invocations that run out of time early. @default 0 */
  readonly cutPercent?: number;
  /** Calls that go to the function that made the last one. @default 0 */
  readonly burstPercent?: number;
}

export interface SimulatedQueue {
  readonly queueUrl: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly visibilityTimeoutSeconds: number;
  readonly maxReceiveCount: number;
  /** True if the app finds out that a message is lost. */
  readonly mayLose: boolean;
  /** Until a message can be received. @default 100 */
  readonly latencyMilliseconds?: number;
  /** At most so many are doubled. */
  readonly mostDuplicatePercent?: number;
}

export interface Message extends SentMessage {
  readonly id: string;
  visibleAt: number;
  receiveCount: number;
}

/**
 * Queues with their pollers. Without disorder, messages come in the order of their time, in full batches; with it, in
 * any order and batch, late, doubled, or not at all.
 */
export function simulatedQueues(
  queues: readonly SimulatedQueue[],
  clock: () => number,
  draw: Draw,
  disorder: Disorder | undefined,
  log: Log = createLog(),
) {
  const byUrl = new Map(queues.map((queue) => [queue.queueUrl, queue]));
  const messages: Message[] = [];
  const deadLetters: Message[] = [];
  let messageCount = 0;
  const happens = (percent: number): boolean => disorder !== undefined && draw(100) < percent;

  function queueOf({ queueUrl }: SentMessage): SimulatedQueue {
    const queue = byUrl.get(queueUrl);
    if (queue === undefined) throw new Error(`There is no queue ${queueUrl}.`);
    return queue;
  }

  function take(from: readonly Message[]): Message | undefined {
    const first = earliest(from);
    const taken = disorder === undefined ? first : from[draw(Math.max(1, from.length))];
    if (taken === undefined) return undefined;
    messages.splice(messages.indexOf(taken), 1);
    if (taken !== first) log.count('reorders');
    return taken;
  }

  return {
    deadLetters,
    accept: (message: SentMessage): void => {
      const { lossPercent = 0, duplicatePercent = 0, delayPercent = 0 } = disorder ?? {};
      const { mayLose, mostDuplicatePercent = 100, latencyMilliseconds = 100 } = queueOf(message);
      const copies = happens(Math.min(duplicatePercent, mostDuplicatePercent)) ? 2 + draw(2) : 1;
      log.count('messages');
      log.count('doubles', copies - 1);
      for (let copy = 0; copy < copies; copy++) {
        if (mayLose && happens(lossPercent)) {
          log.count('losses');
          continue;
        }
        const lateSeconds = happens(delayPercent) ? draw(900) : 0;
        if (lateSeconds > 0) log.count('delays');
        const visibleAt = clock() + latencyMilliseconds + (message.delaySeconds + lateSeconds) * 1000;
        messages.push({ ...message, id: `m${(messageCount += 1)}`, visibleAt, receiveCount: 0 });
      }
    },
    /** One batch of a queue, taken off it: what a poller has when its window ends. Empty if nothing is due. */
    receive: (): Message[] => {
      const first = take(messages.filter(({ visibleAt }) => visibleAt <= clock()));
      if (first === undefined) return [];
      const { queueUrl, batchSize, windowSeconds } = queueOf(first);
      const size = disorder === undefined || batchSize === 1 ? batchSize : 1 + draw(batchSize);
      const batch = [first];
      while (batch.length < size) {
        const windowEnd = clock() + windowSeconds * 1000;
        const mate = take(
          messages.filter((each) => each.queueUrl === queueUrl && each.visibleAt <= windowEnd),
        );
        if (mate === undefined) break;
        batch.push(mate);
      }
      return batch;
    },
    /** Messages that failed come again after the visibility timeout; after the last receive, they do not. */
    giveBack: (failed: readonly Message[], takenAt: number): void => {
      for (const message of failed) {
        const { visibilityTimeoutSeconds, maxReceiveCount } = queueOf(message);
        message.receiveCount += 1;
        message.visibleAt = takenAt + visibilityTimeoutSeconds * 1000;
        if (message.receiveCount < maxReceiveCount) messages.push(message);
        else deadLetters.push(message);
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
