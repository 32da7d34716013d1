import { sleep } from '../clock/index.ts';
import type { InputTemplate } from './input-template.ts';
import type { PipeRecord } from './pipe-source.ts';

export interface PipeEvent {
  readonly type: 'pipe';
  readonly pipeName: string;
  readonly size: number;
  /** Records to retry or give up. */
  readonly failed: number;
  readonly waitedMilliseconds: readonly number[];
  readonly errorMessage?: string;
}

export interface DeliveryOptions {
  readonly pipeName: string;
  readonly pipeArn: string;
  readonly streamArn: string;
  /** @default a record is tried until it expires */
  readonly maximumRetryAttempts?: number;
  /** @default a record is tried until it expires */
  readonly maximumRecordAgeSeconds?: number;
  readonly template: InputTemplate;
  /** @returns the indexes of the bodies that the target refused */
  readonly send: (bodies: readonly string[], signal: AbortSignal) => Promise<ReadonlySet<number>>;
  /** Sends to the dead-letter queue. @default drops the records */
  readonly giveUp?: (body: string) => Promise<void>;
  readonly writtenAt: (sequenceNumber: string) => Date | undefined;
  readonly onEvent: (event: PipeEvent) => void;
}

const FIRST_RETRY_MILLISECONDS = 250;
export const LAST_RETRY_MILLISECONDS = 10_000;

export function createDelivery(options: DeliveryOptions) {
  let isTwice = false;

  const attempt = async (records: readonly PipeRecord[], signal: AbortSignal) => {
    try {
      const bodies = records.map(({ event }) => options.template(event));
      const failed = await options.send(bodies, signal);
      if (isTwice) await options.send(bodies, signal);
      return {
        left: records.filter((_, place) => failed.has(place)),
        reason: failed.size > 0 ? 'The target refused entries of the batch.' : undefined,
      };
    } catch (error) {
      return { left: records, reason: error instanceof Error ? error.message : String(error) };
    }
  };

  const tell = (sent: readonly PipeRecord[], failed: number, errorMessage: string | undefined): void => {
    const waitedMilliseconds = sent.flatMap(({ sequenceNumber }) => {
      const writtenAt = options.writtenAt(sequenceNumber);
      return writtenAt === undefined ? [] : [Date.now() - writtenAt.getTime()];
    });
    options.onEvent({
      type: 'pipe',
      pipeName: options.pipeName,
      size: sent.length + failed,
      failed,
      waitedMilliseconds,
      ...(errorMessage === undefined ? {} : { errorMessage }),
    });
  };

  const abandon = async (records: readonly PipeRecord[], shardId: string, condition: string) => {
    if (records.length > 0) await options.giveUp?.(deadLetter(options, records, shardId, condition));
  };

  return {
    tell,
    deliverTwice: (isOn: boolean): void => {
      isTwice = isOn;
    },
    /** Returns when every record is sent or given up. Retries failed records only. */
    deliver: async (batch: readonly PipeRecord[], shardId: string, signal: AbortSignal): Promise<void> => {
      let records = batch;
      for (let attempts = 0; ; attempts += 1) {
        const isTooOld = tooOld(options.maximumRecordAgeSeconds);
        await abandon(records.filter(isTooOld), shardId, 'MaximumRecordAgeExceeded');
        records = records.filter((record) => !isTooOld(record));
        if (records.length === 0) return;
        const { left, reason } = await attempt(records, signal);
        signal.throwIfAborted();
        const sent = records.filter((record) => !left.includes(record));
        tell(sent, left.length, reason);
        records = left;
        if (records.length === 0) return;
        if (attempts >= (options.maximumRetryAttempts ?? Infinity)) {
          return abandon(records, shardId, 'RetryAttemptsExhausted');
        }
        const delay = Math.min(FIRST_RETRY_MILLISECONDS * 2 ** attempts, LAST_RETRY_MILLISECONDS);
        await sleep(delay, { signal });
      }
    },
  };
}

function tooOld(maximumAgeSeconds = Infinity): (record: PipeRecord) => boolean {
  const oldest = Date.now() / 1000 - maximumAgeSeconds;
  return ({ createdAt }) => createdAt < oldest;
}

/** A dead-letter queue gets no records, only their place in the stream, where they stay for 24 hours. */
function deadLetter(
  { pipeArn, streamArn }: DeliveryOptions,
  records: readonly PipeRecord[],
  shardId: string,
  condition: string,
): string {
  const [first, last] = [records[0], records.at(-1)];
  return JSON.stringify({
    context: { partnerResourceArn: pipeArn, condition },
    version: '1.0',
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: first && isoTime(first.createdAt),
      approximateArrivalOfLastRecord: last && isoTime(last.createdAt),
      batchSize: records.length,
      streamArn,
    },
  });
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
