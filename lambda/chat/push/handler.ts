import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { logger } from '../../shared/log.ts';
import { pushNotifications } from './push-notifications.ts';
import { buildServices } from './services.ts';
import { withinTime } from './worker.ts';

let services: ReturnType<typeof buildServices> | undefined;

/** SQS event of the notification queue. */
export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logger.resetKeys();
  logger.appendKeys({ functionRequestId: context.awsRequestId });
  return pushNotifications(event.Records, withinTime(services, context));
}
