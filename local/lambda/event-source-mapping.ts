import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallAws } from '../endpoint/aws-call.ts';
import type { HostEvent } from '../events.ts';
import type { EventPattern } from '../patterns/event-pattern.ts';
import { isJsonList, isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';
import { failedMessageIds } from './batch-response.ts';
import type { Invocation } from './function-pool.ts';
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
  /** A record goes to the function if one of them matches it, else it is deleted. @default every record goes */
  readonly patterns?: readonly EventPattern[];
  readonly region: string;
  /** As the function's role. */
  readonly callAws: CallAws;
  /** @param cause the trace header of the messages */
  readonly invoke: (functionArn: string, event: unknown, cause?: string) => Promise<Invocation>;
  /**
   * Takes messages out of the queue and puts them into its dead-letter queue, if it has one: those of a chain that has
   * invoked the function too often.
   * @default a chain may invoke the function any number of times
   */
  readonly deadLetter?: (receiptHandles: readonly string[]) => void;
  readonly onEvent: (event: HostEvent) => void;
}

export interface EventSourceMapping {
  readonly stop: () => Promise<void>;
}

/** A record of the event that Lambda hands to the function. */
type SqsRecord = JsonObject & {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly attributes: JsonObject;
};

const RECEIVE_MAXIMUM = 10;
const LONG_POLL_SECONDS = 20;
const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;
/** `{"Records":[]}` and room to spare. */
const ENVELOPE_BYTES = 64;
/** After a throttle, or where the queue can't be reached, a poller steps back. */
const BACK_OFF_MILLISECONDS = 1000;

/**
 * Polls a queue with the function's own credentials and invokes the function with batches, as Lambda's pollers do:
 * a batch goes when its window since the first message is over, when it is full, or when it reaches 6 MB.
 */
export function startEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Every poller waits on it, in the SDK and here.
  setMaxListeners(0, signal);

  const receive = async (count: number, waitSeconds: number): Promise<readonly SqsRecord[]> => {
    const { Messages = [] } = await options.callAws(
      'AmazonSQS.ReceiveMessage',
      {
        QueueUrl: options.queueUrl,
        MaxNumberOfMessages: Math.min(count, RECEIVE_MAXIMUM),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      },
      signal,
    );
    const records = (isJsonList(Messages) ? Messages.filter(isJsonObject) : []).flatMap(
      (message) => recordOf(message, options) ?? [],
    );
    const { patterns = [] } = options;
    if (patterns.length === 0) return records;
    const wanted = new Set(records.filter((record) => patterns.some((matches) => matches(record))));
    await deleteMessages(records.filter((record) => !wanted.has(record)));
    return [...wanted];
  };

  const deleteMessages = async (records: readonly SqsRecord[]): Promise<void> => {
    for (let start = 0; start < records.length; start += RECEIVE_MAXIMUM) {
      const entries = records.slice(start, start + RECEIVE_MAXIMUM).map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
      }));
      const request = { QueueUrl: options.queueUrl, Entries: entries };
      await options.callAws('AmazonSQS.DeleteMessageBatch', request, signal);
    }
  };

  const invocationsSoFar = (record: SqsRecord): number =>
    invocationsInChain(traceHeaderOf(record), options.functionArn);

  /** Drops what is in a loop. @returns what may go to the function */
  const withoutLoops = (records: readonly SqsRecord[]): readonly SqsRecord[] => {
    const { deadLetter, queueName, functionName } = options;
    if (deadLetter === undefined) return records;
    const looping = records.filter((record) => invocationsSoFar(record) >= MAXIMUM_INVOCATIONS_OF_A_CHAIN);
    if (looping.length === 0) return records;
    deadLetter(looping.map(({ receiptHandle }) => receiptHandle));
    options.onEvent({ type: 'recursion', queueName, functionName, messages: looping.length });
    return records.filter((record) => !looping.includes(record));
  };

  /** Invokes the function and deletes what it finished. */
  const deliver = async (batch: Batch): Promise<void> => {
    const startedAt = Date.now();
    const records = withoutLoops(batch.records);
    if (records.length === 0) return;
    // What the function sends belongs to the longest of the chains that its batch goes on.
    const [cause] = records.toSorted((one, other) => invocationsSoFar(other) - invocationsSoFar(one));
    const invocation = await options.invoke(
      options.functionArn,
      { Records: records },
      cause && traceHeaderOf(cause),
    );
    const done = signal.aborted ? [] : finished(records, invocation, options.reportsBatchItemFailures);
    await deleteMessages(done);
    options.onEvent({
      type: 'batch',
      queueName: options.queueName,
      functionName: options.functionName,
      size: records.length,
      failed: records.length - done.length,
      milliseconds: Date.now() - startedAt,
      waitedMilliseconds: startedAt - batch.startedAt,
    });
    if (invocation.kind === 'throttled') await sleep(BACK_OFF_MILLISECONDS, undefined, { signal });
  };

  /** One poller's batch: waits for a first message, then for more until the batch must go. */
  const gather = async (batch: Batch): Promise<void> => {
    if (batch.records.length === 0) {
      const first = await receive(options.batchSize, LONG_POLL_SECONDS);
      batch.startedAt = Date.now();
      batch.add(first);
    }
    while (batch.records.length > 0 && batch.records.length < options.batchSize && !batch.isOverfull) {
      const remaining = batch.startedAt + options.windowSeconds * 1000 - Date.now();
      if (remaining <= 0) return;
      const wholeSeconds = Math.min(Math.floor(remaining / 1000), LONG_POLL_SECONDS);
      // Long polls last whole seconds; the rest of the window passes without one, and a last look ends it.
      if (wholeSeconds === 0) await sleep(remaining, undefined, { signal });
      batch.add(await receive(options.batchSize - batch.records.length, wholeSeconds));
    }
  };

  const poll = async (): Promise<void> => {
    const batch = createBatch();
    while (!signal.aborted) {
      try {
        await gather(batch);
        if (batch.records.length > 0) await deliver(batch);
        batch.next();
      } catch {
        batch.clear();
        // What was received and not deleted comes back after the visibility timeout.
        await sleep(BACK_OFF_MILLISECONDS, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  const running = Array.from({ length: options.pollers }, () => poll());
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

interface Batch {
  readonly records: readonly SqsRecord[];
  /** Whether messages wait that did not fit into 6 MB. */
  readonly isOverfull: boolean;
  startedAt: number;
  readonly add: (records: readonly SqsRecord[]) => void;
  /** Begins the next batch with what did not fit. */
  readonly next: () => void;
  readonly clear: () => void;
}

function createBatch(): Batch {
  let records: SqsRecord[] = [];
  let bytes = ENVELOPE_BYTES;
  let rest: readonly SqsRecord[] = [];
  const batch: Batch = {
    get records() {
      return records;
    },
    get isOverfull() {
      return rest.length > 0;
    },
    startedAt: 0,
    add: (more) => {
      for (const [index, record] of more.entries()) {
        const size = Buffer.byteLength(JSON.stringify(record)) + 1;
        if (records.length > 0 && bytes + size > MAXIMUM_PAYLOAD_BYTES) {
          rest = more.slice(index);
          return;
        }
        records.push(record);
        bytes += size;
      }
    },
    next: () => {
      const waiting = rest;
      batch.clear();
      batch.startedAt = Date.now();
      batch.add(waiting);
    },
    clear: () => {
      records = [];
      rest = [];
      bytes = ENVELOPE_BYTES;
    },
  };
  return batch;
}

function finished(
  records: readonly SqsRecord[],
  invocation: Invocation,
  reportsBatchItemFailures: boolean,
): readonly SqsRecord[] {
  if (invocation.kind !== 'success') return [];
  if (!reportsBatchItemFailures) return records;
  const failed = failedMessageIds(invocation.payload, new Set(records.map(({ messageId }) => messageId)));
  return failed === 'everything' ? [] : records.filter(({ messageId }) => !failed.has(messageId));
}

function traceHeaderOf({ attributes }: SqsRecord): string | undefined {
  return textAt(attributes, 'AWSTraceHeader');
}

function recordOf(
  message: JsonObject,
  { queueArn, region, windowSeconds }: EventSourceMappingOptions,
): SqsRecord | undefined {
  const messageId = textAt(message, 'MessageId');
  const receiptHandle = textAt(message, 'ReceiptHandle');
  if (messageId === undefined || receiptHandle === undefined) return undefined;
  const given = objectAt(message, 'MessageAttributes');
  const attributes = Object.keys(given).map((key) => {
    const attribute = objectAt(given, key);
    const [stringValue, binaryValue] = [textAt(attribute, 'StringValue'), textAt(attribute, 'BinaryValue')];
    const record = {
      ...(stringValue === undefined ? {} : { stringValue }),
      ...(binaryValue === undefined ? {} : { binaryValue }),
      stringListValues: [],
      binaryListValues: [],
      dataType: textAt(attribute, 'DataType') ?? '',
    };
    return [key, record] as const;
  });
  const md5OfMessageAttributes = textAt(message, 'MD5OfMessageAttributes');
  return {
    messageId,
    receiptHandle,
    body: textAt(message, 'Body') ?? '',
    attributes: objectAt(message, 'Attributes'),
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: textAt(message, 'MD5OfBody') ?? '',
    // Only a mapping with a window names the MD5 of no attributes. Source: events recorded on AWS.
    ...(md5OfMessageAttributes !== undefined || windowSeconds > 0
      ? { md5OfMessageAttributes: md5OfMessageAttributes ?? null }
      : {}),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
