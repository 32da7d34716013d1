import { setMaxListeners } from 'node:events';
import { after, sleep } from '../clock/index.ts';
import type { CallAws } from '../endpoint/index.ts';
import type { Invocation, LambdaEvent } from './function-definition.ts';
import { Batch, finished, recordsOf, traceHeaderOf, type SqsRecord } from './sqs-batch.ts';
import { invocationsInChain, MAXIMUM_INVOCATIONS_OF_A_CHAIN } from './trace.ts';

export interface EventSourceMappingOptions {
  readonly queueName: string;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Each polls and invokes by itself, one batch at a time. */
  readonly pollers: number;
  readonly reportsBatchItemFailures: boolean;
  /** A record needs to match one of them; others are deleted. @default every record passes */
  readonly patterns?: readonly ((record: SqsRecord) => boolean)[];
  readonly region: string;
  readonly callAws: CallAws;
  /** @param cause the trace header of the messages */
  readonly invoke: (functionArn: string, event: unknown, cause?: string) => Promise<Invocation>;
  /** For messages of a chain that invoked the function too often. @default a chain may do so without limit */
  readonly deadLetter?: (receiptHandles: readonly string[]) => void;
  readonly onEvent: (event: LambdaEvent) => void;
}

export interface EventSourceMapping {
  readonly stop: () => Promise<void>;
}

const RECEIVE_MAXIMUM = 10;
const LONG_POLL_SECONDS = 20;
/** After a throttle, or where the queue cannot be reached. */
const BACK_OFF_MILLISECONDS = 1000;

/** A batch goes when its window since the first message ends, when it is full, or when it reaches 6 MB. */
export function startEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const stopping = new AbortController();
  // Every poller listens on it, in the SDK and here.
  setMaxListeners(0, stopping.signal);
  const running = Array.from({ length: options.pollers }, () => new Poller(options, stopping.signal).poll());
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

class Poller {
  readonly #options: EventSourceMappingOptions;
  readonly #signal: AbortSignal;
  readonly #batch = new Batch();

  constructor(options: EventSourceMappingOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async poll(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#gather();
        if (this.#batch.records.length > 0) await this.#deliver();
        this.#batch.next();
      } catch {
        this.#batch.clear();
        // Messages not deleted come back after the visibility timeout.
        await this.#stepBack().catch(() => undefined);
      }
    }
  }

  async #stepBack(): Promise<void> {
    await sleep(BACK_OFF_MILLISECONDS, { signal: this.#signal });
  }

  async #gather(): Promise<void> {
    const batch = this.#batch;
    const { batchSize, windowSeconds } = this.#options;
    if (batch.records.length === 0) {
      const first = await this.#receive(batchSize, LONG_POLL_SECONDS);
      batch.startedAt = Date.now();
      batch.add(first);
    }
    const remaining = (): number => batch.startedAt + windowSeconds * 1000 - Date.now();
    if (batch.records.length === 0 || remaining() <= 0) return;
    // A clock that moves stops where the window ends.
    const windowEnd = after(remaining(), () => undefined);
    try {
      while (batch.records.length < batchSize && !batch.isOverfull && remaining() > 0) {
        const wholeSeconds = Math.min(Math.floor(remaining() / 1000), LONG_POLL_SECONDS);
        // Long polls last whole seconds, so the rest of the window is a sleep and a last poll.
        if (wholeSeconds === 0) await sleep(remaining(), { signal: this.#signal });
        batch.add(await this.#receive(batchSize - batch.records.length, wholeSeconds));
      }
    } finally {
      windowEnd.cancel();
    }
  }

  async #receive(count: number, waitSeconds: number): Promise<readonly SqsRecord[]> {
    const { queueUrl, patterns = [] } = this.#options;
    const answer = await this.#options.callAws(
      'AmazonSQS.ReceiveMessage',
      {
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(count, RECEIVE_MAXIMUM),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      },
      this.#signal,
    );
    const records = recordsOf(answer, this.#options);
    if (patterns.length === 0) return records;
    const wanted = new Set(records.filter((record) => patterns.some((matches) => matches(record))));
    await this.#delete(records.filter((record) => !wanted.has(record)));
    return [...wanted];
  }

  async #delete(records: readonly SqsRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += RECEIVE_MAXIMUM) {
      const Entries = records.slice(start, start + RECEIVE_MAXIMUM).map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
      }));
      const request = { QueueUrl: this.#options.queueUrl, Entries };
      await this.#options.callAws('AmazonSQS.DeleteMessageBatch', request, this.#signal);
    }
  }

  async #deliver(): Promise<void> {
    const { functionArn, functionName, queueName, reportsBatchItemFailures } = this.#options;
    const startedAt = Date.now();
    const records = this.#withoutLoops(this.#batch.records);
    if (records.length === 0) return;
    // The function's own messages continue the longest chain of the batch.
    const [cause] = records.toSorted((one, other) => this.#invocations(other) - this.#invocations(one));
    const invocation = await this.#options.invoke(
      functionArn,
      { Records: records },
      cause && traceHeaderOf(cause),
    );
    const done = this.#signal.aborted ? [] : finished(records, invocation, reportsBatchItemFailures);
    await this.#delete(done);
    this.#options.onEvent({
      type: 'batch',
      queueName,
      functionName,
      size: records.length,
      failed: records.length - done.length,
      milliseconds: Date.now() - startedAt,
      waitedMilliseconds: startedAt - this.#batch.startedAt,
    });
    if (invocation.kind === 'throttled') await this.#stepBack();
  }

  #withoutLoops(records: readonly SqsRecord[]): readonly SqsRecord[] {
    const { deadLetter, queueName, functionName, onEvent } = this.#options;
    if (deadLetter === undefined) return records;
    const looping = records.filter((record) => this.#invocations(record) >= MAXIMUM_INVOCATIONS_OF_A_CHAIN);
    if (looping.length === 0) return records;
    deadLetter(looping.map(({ receiptHandle }) => receiptHandle));
    onEvent({ type: 'recursion', queueName, functionName, messages: looping.length });
    return records.filter((record) => !looping.includes(record));
  }

  #invocations(record: SqsRecord): number {
    return invocationsInChain(traceHeaderOf(record), this.#options.functionArn);
  }
}
