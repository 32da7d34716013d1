import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { batchResponse, parseJsonBody, PermanentError, type RecordFailure } from '../../shared/batch.ts';
import { logger } from '../../shared/log.ts';
import { NotificationMessage } from '../contract.ts';
import { notificationIdOf } from '../domain/identifiers.ts';
import { deliver, type DeliveryServices } from './deliver.ts';

/** Works on the notification queue: delivers the messages that were written. */
export async function pushNotifications(
  records: readonly SQSRecord[],
  services: DeliveryServices,
): Promise<SQSBatchResponse> {
  const failures: RecordFailure[] = [];
  // The batch size is 1: a failure holds nobody else up.
  for (const record of records) {
    let about: RecordFailure['about'];
    try {
      const message = parse(record);
      about = namesOf(message);
      await work(message, services);
    } catch (error) {
      failures.push({ record, error, ...(about === undefined ? {} : { about }) });
    }
  }
  return batchResponse(failures);
}

type Work = v.InferOutput<typeof NotificationMessage>;

function parse(record: SQSRecord): Work {
  const parsed = v.safeParse(NotificationMessage, parseJsonBody(record));
  if (!parsed.success) throw new PermanentError('The message is no notification message.');
  return parsed.output;
}

/** Log fields that identify a message on the queue. */
function namesOf({ conversationId, sequence, requestId }: Work): NonNullable<RecordFailure['about']> {
  return {
    notificationId: notificationIdOf({ conversationId, sequence }),
    conversationId,
    sequence,
    requestId,
  };
}

async function work(message: Work, services: DeliveryServices): Promise<void> {
  const startedAt = performance.now();
  const delivery = await deliver(
    message,
    services,
    message.kind === 'push' ? message.connectionIds : undefined,
  );
  const milliseconds = Math.round(performance.now() - startedAt);
  logger.info('message delivered', { ...namesOf(message), ...delivery, milliseconds });
}
