import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { logInvocation } from '../../shared/log.ts';
import { buildServices } from './services.ts';
import { settleBatch, type BatchServices } from './settle-batch.ts';

let services: BatchServices | undefined;

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId'>,
): Promise<SQSBatchResponse> {
  services ??= buildServices();
  logInvocation(context);
  return settleBatch(event.Records, services);
}
