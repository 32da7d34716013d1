import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { errorFields, logger } from './log.ts';

/** A message that no retry will mend: malformed, or naming what does not exist. It ends in the dead-letter queue. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

/** A record that is not done with. */
export interface RecordFailure {
  readonly record: SQSRecord;
  readonly error: unknown;
  /** What the message names, once it was understood: by these ids the log tells what failed. */
  readonly about?: Readonly<Record<string, string | number | undefined>>;
}

/**
 * Answers a batch: the messages named stay in the queue and come again after the visibility timeout, until the queue's
 * redrive policy moves them to the dead-letter queue; all others are deleted. The service has no way to move a message
 * there at once, so a permanent failure goes the same way, and only its log line differs.
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

/** Reads a message's body as JSON. @throws PermanentError if it is none; the body itself is never repeated. */
export function parseJsonBody(record: Pick<SQSRecord, 'body'>): unknown {
  try {
    return JSON.parse(record.body);
  } catch {
    throw new PermanentError('The message body is not JSON.');
  }
}
