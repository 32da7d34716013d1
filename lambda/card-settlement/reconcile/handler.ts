import type { Context, SQSEvent } from 'aws-lambda';
import * as v from 'valibot';
import { parseJsonBody, PermanentError } from '../../shared/batch.ts';
import { logInvocation } from '../../shared/log.ts';
import { ReconcileMessage } from '../contract.ts';
import { reconcileDueDays } from './due-days.ts';
import { reconcileBusinessDay } from './run.ts';
import { buildServices } from './services.ts';

let services: ReturnType<typeof buildServices> | undefined;

/**
 * SQS event of one message. An error leaves the message in the queue: it comes again after the visibility timeout,
 * when the lease of the run that failed has ended.
 */
export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<void> {
  services ??= buildServices();
  const { awsRequestId: requestId } = context;
  const remainingMilliseconds = () => context.getRemainingTimeInMillis();
  logInvocation(context);
  for (const record of event.Records) {
    const parsed = v.safeParse(ReconcileMessage, parseJsonBody(record));
    if (!parsed.success) throw new PermanentError('The message is no reconcile message.');
    const { output: message } = parsed;
    const invocation = { requestId, messageId: record.messageId, remainingMilliseconds };
    if (message.kind === 'due-days') await reconcileDueDays(services);
    else await reconcileBusinessDay(message, invocation, services);
  }
}
