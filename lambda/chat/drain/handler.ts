import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { logInvocation } from '../../shared/log.ts';
import { withinTime } from '../push/worker.ts';
import { drainDevices } from './drain-devices.ts';
import { buildServices } from './services.ts';

let services: ReturnType<typeof buildServices> | undefined;

/** SQS event of the drain queue. */
export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logInvocation(context);
  return drainDevices(event.Records, withinTime(services, context));
}
