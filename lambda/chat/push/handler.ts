import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { logInvocation } from '../../shared/log.ts';
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
  logInvocation(context);
  return pushNotifications(event.Records, withinTime(services, context));
}
