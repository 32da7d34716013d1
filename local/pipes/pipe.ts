import { sleep } from '../clock/index.ts';
import { createDelivery, LAST_RETRY_MILLISECONDS, type DeliveryOptions } from './delivery.ts';
import { openPipeSource, type PipeRecord, type PipeSourceOptions } from './pipe-source.ts';

export interface PipeOptions extends DeliveryOptions, PipeSourceOptions {
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Whether the stream has a record behind this one, or any at all. */
  readonly hasRecordAfter: (sequenceNumber: string | undefined) => boolean;
  /** A record needs to match one of them. Without patterns every record passes. */
  readonly patterns: readonly ((event: PipeRecord['event']) => boolean)[];
}

export interface Pipe {
  readonly start: () => void;
  /** Resolves when sending has ended. A new start continues behind the last checkpoint. */
  readonly stop: () => Promise<void>;
  /** Fault injection: sends every batch twice from now on. */
  readonly deliverTwice: (isOn: boolean) => void;
}

/** Four polls a second per shard. Source: Amazon EventBridge user guide, "DynamoDB streams as a source". */
const POLL_MILLISECONDS = 250;
const PAGE = 1000;

export function createPipe(options: PipeOptions): Pipe {
  const { batchSize, windowSeconds, patterns } = options;
  const { deliver, tell, deliverTwice } = createDelivery(options);
  let checkpoint: string | undefined;
  let running: { readonly stopping: AbortController; readonly ended: Promise<void> } | undefined;

  const passes = ({ event }: PipeRecord): boolean =>
    patterns.length === 0 || patterns.some((matches) => matches(event));

  const follow = async (signal: AbortSignal): Promise<void> => {
    const source = await openPipeSource(options, checkpoint, signal);
    let waiting: PipeRecord[] = [];
    let dueAt = Infinity;
    let readTo = checkpoint;
    const isIdle = (): boolean => waiting.length === 0 && !options.hasRecordAfter(readTo);
    for (;;) {
      const polledAt = Date.now();
      const records = await source.read(signal);
      readTo = records.at(-1)?.sequenceNumber ?? readTo;
      const passed = records.filter(passes);
      if (waiting.length === 0 && passed.length > 0) dueAt = Date.now() + windowSeconds * 1000;
      waiting.push(...passed);
      while (waiting.length >= batchSize || (waiting.length > 0 && Date.now() >= dueAt)) {
        const batch = waiting.slice(0, batchSize);
        await deliver(batch, source.shardId, signal);
        waiting = waiting.slice(batchSize);
        checkpoint = batch.at(-1)?.sequenceNumber ?? checkpoint;
        if (waiting.length > 0 && waiting.length < batchSize) dueAt = Date.now() + windowSeconds * 1000;
      }
      if (waiting.length === 0) checkpoint = records.at(-1)?.sequenceNumber ?? checkpoint;
      if (records.length < PAGE) {
        await sleep(Math.max(0, polledAt + POLL_MILLISECONDS - Date.now()), { signal, isIdle });
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
        await sleep(LAST_RETRY_MILLISECONDS / 10, { signal }).catch(() => undefined);
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
    deliverTwice,
  };
}
