import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Each polls, batches and invokes on its own, one batch at a time. */
  readonly pollers: number;
  readonly reportsBatchItemFailures: boolean;
  /** A record goes to the function if one of them matches it; otherwise it is deleted. @default every record goes */
  readonly patterns?: readonly ((record: SqsRecord) => boolean)[];
  readonly region: string;
  /** As the function's role. */
  readonly callAws: CallAws;
  /** @param cause the trace header of the messages */
  readonly invoke: (functionArn: string, event: unknown, cause?: string) => Promise<Invocation>;
  /**
   * Moves messages to the queue's dead-letter queue, if it has one: those of a chain that has invoked the function too
   * often.
   * @default a chain may invoke the function any number of times
   */
  readonly deadLetter?: (receiptHandles: readonly string[]) => void;
  readonly onEvent: (event: LambdaEvent) => void;
}

export interface EventSourceMapping {
  readonly stop: () => Promise<void>;
}

const RECEIVE_MAXIMUM = 10;
const LONG_POLL_SECONDS = 20;
/** After a throttle, or where the queue can't be reached, a poller steps back. */
const BACK_OFF_MILLISECONDS = 1000;

/**
 * Polls a queue with the function's own credentials and invokes the function with batches, as Lambda's pollers do:
 * a batch goes when its window since the first message is over, when it is full, or when it reaches 6 MB.
 */
export function startEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const stopping = new AbortController();
  // Every poller waits on it, in the SDK and here.
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
        // What was received and not deleted comes back after the visibility timeout.
        await this.#stepBack().catch(() => undefined);
      }
    }
  }

  async #stepBack(): Promise<void> {
    await sleep(BACK_OFF_MILLISECONDS, undefined, { signal: this.#signal });
  }

  /** Waits for a first message, then for more until the batch must go. */
  async #gather(): Promise<void> {
    const batch = this.#batch;
    const { batchSize, windowSeconds } = this.#options;
    if (batch.records.length === 0) {
      const first = await this.#receive(batchSize, LONG_POLL_SECONDS);
      batch.startedAt = Date.now();
      batch.add(first);
    }
    while (batch.records.length > 0 && batch.records.length < batchSize && !batch.isOverfull) {
      const remaining = batch.startedAt + windowSeconds * 1000 - Date.now();
      if (remaining <= 0) return;
      const wholeSeconds = Math.min(Math.floor(remaining / 1000), LONG_POLL_SECONDS);
      // Long polls last whole seconds; the rest of the window passes without one, and a last look ends it.
      if (wholeSeconds === 0) await sleep(remaining, undefined, { signal: this.#signal });
      batch.add(await this.#receive(batchSize - batch.records.length, wholeSeconds));
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

  /** Invokes the function and deletes what it finished. */
  async #deliver(): Promise<void> {
    const { functionArn, functionName, queueName, reportsBatchItemFailures } = this.#options;
    const startedAt = Date.now();
    const records = this.#withoutLoops(this.#batch.records);
    if (records.length === 0) return;
    // What the function sends belongs to the longest of the chains that its batch goes on.
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

  /** Drops what is in a loop. @returns what may go to the function */
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
