import { isJsonList, isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';
import type { Invocation } from './function-definition.ts';

export type SqsRecord = JsonObject & {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly attributes: JsonObject;
};

const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;
/** `{"Records":[]}` and room to spare. */
const ENVELOPE_BYTES = 64;

export class Batch {
  startedAt = 0;
  #records: SqsRecord[] = [];
  #bytes = ENVELOPE_BYTES;
  #rest: readonly SqsRecord[] = [];

  get records(): readonly SqsRecord[] {
    return this.#records;
  }

  /** Whether messages beyond 6 MB wait. */
  get isOverfull(): boolean {
    return this.#rest.length > 0;
  }

  add(more: readonly SqsRecord[]): void {
    for (const [index, record] of more.entries()) {
      const size = Buffer.byteLength(JSON.stringify(record)) + 1;
      if (this.#records.length > 0 && this.#bytes + size > MAXIMUM_PAYLOAD_BYTES) {
        this.#rest = more.slice(index);
        return;
      }
      this.#records.push(record);
      this.#bytes += size;
    }
  }

  next(): void {
    const waiting = this.#rest;
    this.clear();
    this.startedAt = Date.now();
    this.add(waiting);
  }

  clear(): void {
    this.#records = [];
    this.#rest = [];
    this.#bytes = ENVELOPE_BYTES;
  }
}

interface RecordSource {
  readonly queueArn: string;
  readonly region: string;
  readonly windowSeconds: number;
}

export function recordsOf({ Messages = [] }: JsonObject, source: RecordSource): readonly SqsRecord[] {
  const messages = isJsonList(Messages) ? Messages.filter(isJsonObject) : [];
  return messages.flatMap((message) => recordOf(message, source) ?? []);
}

function recordOf(
  message: JsonObject,
  { queueArn, region, windowSeconds }: RecordSource,
): SqsRecord | undefined {
  const messageId = textAt(message, 'MessageId');
  const receiptHandle = textAt(message, 'ReceiptHandle');
  if (messageId === undefined || receiptHandle === undefined) return undefined;
  const md5OfMessageAttributes = textAt(message, 'MD5OfMessageAttributes');
  return {
    messageId,
    receiptHandle,
    body: textAt(message, 'Body') ?? '',
    attributes: objectAt(message, 'Attributes'),
    messageAttributes: attributesOf(objectAt(message, 'MessageAttributes')),
    md5OfBody: textAt(message, 'MD5OfBody') ?? '',
    // Only a mapping with a window writes the MD5 of no attributes. Source: events recorded on AWS.
    ...(md5OfMessageAttributes !== undefined || windowSeconds > 0
      ? { md5OfMessageAttributes: md5OfMessageAttributes ?? null }
      : {}),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

function attributesOf(given: JsonObject): JsonObject {
  const attributes = Object.keys(given).map((key) => {
    const attribute = objectAt(given, key);
    const stringValue = textAt(attribute, 'StringValue');
    const binaryValue = textAt(attribute, 'BinaryValue');
    return [
      key,
      {
        ...(stringValue === undefined ? {} : { stringValue }),
        ...(binaryValue === undefined ? {} : { binaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: textAt(attribute, 'DataType') ?? '',
      },
    ] as const;
  });
  return Object.fromEntries(attributes);
}

export function traceHeaderOf({ attributes }: SqsRecord): string | undefined {
  return textAt(attributes, 'AWSTraceHeader');
}

export function finished(
  records: readonly SqsRecord[],
  invocation: Invocation,
  reportsBatchItemFailures: boolean,
): readonly SqsRecord[] {
  if (invocation.kind !== 'success') return [];
  if (!reportsBatchItemFailures) return records;
  const failed = failedMessageIds(invocation.payload, new Set(records.map(({ messageId }) => messageId)));
  return failed === 'everything' ? [] : records.filter(({ messageId }) => !failed.has(messageId));
}

/**
 * Null, `{}`, and an empty or null list mean success.
 * @returns failed ids, or `everything` for an id that is empty, null or unknown, and for any response that Lambda
 *   cannot read. Source: AWS Lambda developer guide, "Handling errors for an SQS event source".
 */
export function failedMessageIds(
  payload: unknown,
  messageIds: ReadonlySet<string>,
): ReadonlySet<string> | 'everything' {
  if (payload === null || payload === undefined) return new Set();
  if (!isJsonObject(payload)) return 'everything';
  const keys = Object.keys(payload);
  if (keys.length > 0 && !keys.includes('batchItemFailures')) return 'everything';
  const failures = payload['batchItemFailures'];
  if (failures === undefined || failures === null) return new Set();
  if (!isJsonList(failures)) return 'everything';
  const failed = new Set<string>();
  for (const failure of failures) {
    const identifier = isJsonObject(failure) ? failure['itemIdentifier'] : undefined;
    if (typeof identifier !== 'string' || !messageIds.has(identifier)) return 'everything';
    failed.add(identifier);
  }
  return failed;
}
