import { setTimeout as sleep } from 'node:timers/promises';
import type { CallAws } from '../endpoint/index.ts';
import type { HostEvent } from '../events.ts';
import type { EventPattern } from '../patterns/index.ts';
import type { InputTemplate } from './input-template.ts';
import { openPipeSource, type PipeRecord } from './pipe-source.ts';

export interface PipeOptions {
  /** As the pipe's role. */
  readonly callAws: CallAws;
  readonly pipeName: string;
  readonly pipeArn: string;
  readonly streamArn: string;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** @default a record is tried until it expires */
  readonly maximumRetryAttempts?: number;
  /** @default a record is tried until it expires */
  readonly maximumRecordAgeSeconds?: number;
  /** A record passes if one of them matches; none: all records pass. */
  readonly patterns: readonly EventPattern[];
  readonly template: InputTemplate;
  /** Sends bodies to the target. @returns the places of those that the target refused. */
  readonly send: (bodies: readonly string[], signal: AbortSignal) => Promise<ReadonlySet<number>>;
  /** Tells the dead-letter queue of records that are given up. @default they are dropped */
  readonly giveUp?: (body: string) => Promise<void>;
  /** When a record was written, to the millisecond. */
  readonly writtenAt: (sequenceNumber: string) => Date | undefined;
  readonly onEvent: (event: HostEvent) => void;
}

/** A pipe that can be stopped and started again: it goes on behind its last checkpoint. */
export interface Pipe {
  readonly start: () => void;
  /** Resolves when nothing is sent any more. */
  readonly stop: () => Promise<void>;
  /** Fault injection: from now on every batch is sent twice, as at-least-once delivery may. */
  readonly deliverTwice: (isOn: boolean) => void;
}

/** Four polls a second per shard. Source: Amazon EventBridge user guide, "DynamoDB streams as a source". */
const POLL_MILLISECONDS = 250;
const PAGE = 1000;
const FIRST_RETRY_MILLISECONDS = 250;
const LAST_RETRY_MILLISECONDS = 10_000;

export function createPipe(options: PipeOptions): Pipe {
  let checkpoint: string | undefined;
  let isTwice = false;
  let running: { readonly stopping: AbortController; readonly ended: Promise<void> } | undefined;

  const attempt = async (
    records: readonly PipeRecord[],
    signal: AbortSignal,
  ): Promise<{ readonly left: readonly PipeRecord[]; readonly reason: string | undefined }> => {
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
    const now = Date.now();
    options.onEvent({
      type: 'pipe',
      pipeName: options.pipeName,
      size: sent.length + failed,
      failed,
      waitedMilliseconds: sent.flatMap(({ sequenceNumber }) => {
        const writtenAt = options.writtenAt(sequenceNumber);
        return writtenAt === undefined ? [] : [now - writtenAt.getTime()];
      }),
      ...(errorMessage === undefined ? {} : { errorMessage }),
    });
  };

  /** Returns when every record is sent or given up; only failed ones are tried again. */
  const deliver = async (
    batch: readonly PipeRecord[],
    shardId: string,
    signal: AbortSignal,
  ): Promise<void> => {
    let records = batch;
    for (let attempts = 0; ; attempts += 1) {
      const isTooOld = tooOld(options.maximumRecordAgeSeconds);
      await abandon(records.filter(isTooOld), shardId, 'MaximumRecordAgeExceeded');
      records = records.filter((record) => !isTooOld(record));
      if (records.length === 0) return;
      const { left, reason } = await attempt(records, signal);
      signal.throwIfAborted();
      tell(
        records.filter((record) => !left.includes(record)),
        left.length,
        reason,
      );
      records = left;
      if (records.length === 0) return;
      if (attempts >= (options.maximumRetryAttempts ?? Infinity)) {
        return abandon(records, shardId, 'RetryAttemptsExhausted');
      }
      await sleep(Math.min(FIRST_RETRY_MILLISECONDS * 2 ** attempts, LAST_RETRY_MILLISECONDS), undefined, {
        signal,
      });
    }
  };

  const abandon = async (
    records: readonly PipeRecord[],
    shardId: string,
    condition: string,
  ): Promise<void> => {
    if (records.length > 0) await options.giveUp?.(deadLetter(options, records, shardId, condition));
  };

  const passes = ({ event }: PipeRecord): boolean =>
    options.patterns.length === 0 || options.patterns.some((matches) => matches(event));

  /** Reads and delivers from the checkpoint on, until the signal. Rejects where the source can't be read. */
  const follow = async (signal: AbortSignal): Promise<void> => {
    const { streamArn, startingPosition, batchSize } = options;
    const position = checkpoint === undefined ? {} : { after: checkpoint };
    const source = await openPipeSource(
      options.callAws,
      { streamArn, startingPosition, ...position },
      signal,
    );
    let waiting: PipeRecord[] = [];
    let dueAt = Infinity;
    for (;;) {
      const polledAt = Date.now();
      const records = await source.read(signal);
      const passed = records.filter(passes);
      if (waiting.length === 0 && passed.length > 0) dueAt = Date.now() + options.windowSeconds * 1000;
      waiting.push(...passed);
      while (waiting.length >= batchSize || (waiting.length > 0 && Date.now() >= dueAt)) {
        const batch = waiting.slice(0, batchSize);
        await deliver(batch, source.shardId, signal);
        waiting = waiting.slice(batchSize);
        checkpoint = batch.at(-1)?.sequenceNumber ?? checkpoint;
        if (waiting.length > 0 && waiting.length < batchSize) {
          dueAt = Date.now() + options.windowSeconds * 1000;
        }
      }
      if (waiting.length === 0) checkpoint = records.at(-1)?.sequenceNumber ?? checkpoint;
      if (records.length < PAGE) {
        await sleep(Math.max(0, polledAt + POLL_MILLISECONDS - Date.now()), undefined, { signal });
      }
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    let lastReason = '';
    while (!signal.aborted) {
      try {
        await follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== lastReason) tell([], 0, reason);
        lastReason = reason;
        await sleep(LAST_RETRY_MILLISECONDS / 10, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  return {
    start: () => {
      if (running !== undefined) return;
      const stopping = new AbortController();
      running = { stopping, ended: run(stopping.signal) };
    },
    stop: async () => {
      const last = running;
      running = undefined;
      last?.stopping.abort();
      await last?.ended;
    },
    deliverTwice: (isOn) => {
      isTwice = isOn;
    },
  };
}

function tooOld(maximumAgeSeconds: number | undefined): (record: PipeRecord) => boolean {
  if (maximumAgeSeconds === undefined) return () => false;
  const oldest = Date.now() / 1000 - maximumAgeSeconds;
  return ({ createdAt }) => createdAt < oldest;
}

/** A dead-letter queue gets no records, but where in the stream they stand for 24 hours. */
function deadLetter(
  { pipeArn, streamArn }: PipeOptions,
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

/** A stream knows whole seconds. */
function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
