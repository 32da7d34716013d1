import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { errorFields, logger } from './log.ts';

/** No retry helps: the message is malformed, or names what does not exist. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

export type LogIds = Readonly<Record<string, string | number | undefined>>;

export interface RecordFailure {
  readonly record: SQSRecord;
  readonly error: unknown;
  /** Known once the message is understood. */
  readonly about?: LogIds;
}

/**
 * Failed messages come again after the visibility timeout, until the queue's redrive policy moves them to the
 * dead-letter queue. SQS cannot move a message there at once: a permanent failure goes the same way, and only its log
 * line differs.
 */
export function batchResponse(failures: readonly RecordFailure[]): SQSBatchResponse {
  for (const { record, error, about } of failures) {
    logger.error('message failed', {
      ...about,
      queueMessageId: record.messageId,
      receiveCount: record.attributes.ApproximateReceiveCount,
      permanent: error instanceof PermanentError,
      ...errorFields(error),
    });
  }
  return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
}

/** Works side by side. Only messages that fail come again. */
export async function workOnEach<S extends v.GenericSchema>(
  records: readonly SQSRecord[],
  schema: S,
  idsOf: (message: v.InferOutput<S>) => LogIds,
  work: (message: v.InferOutput<S>) => Promise<void>,
): Promise<SQSBatchResponse> {
  const failures: RecordFailure[] = [];
  await Promise.all(
    records.map(async (record) => {
      let about: LogIds = {};
      try {
        const parsed = v.safeParse(schema, parseJsonBody(record));
        if (!parsed.success) throw new PermanentError('The message does not fit its schema.');
        about = idsOf(parsed.output);
        await work(parsed.output);
      } catch (error) {
        failures.push({ record, error, about });
      }
    }),
  );
  return batchResponse(failures);
}

/** @throws PermanentError, which does not repeat the body */
export function parseJsonBody(record: Pick<SQSRecord, 'body'>): unknown {
  try {
    return JSON.parse(record.body);
  } catch {
    throw new PermanentError('The message body is not JSON.');
  }
}
