import type { Context, SQSEvent } from 'aws-lambda';
import * as v from 'valibot';
import { parseJsonBody, PermanentError } from '../../shared/batch.ts';
import { logInvocation } from '../../shared/log.ts';
import { ReconcileMessage } from '../contract.ts';
import { reconcileDueDays } from './due-days.ts';
import { reconcileBusinessDay } from './run.ts';
import { buildServices } from './services.ts';

let services: ReturnType<typeof buildServices> | undefined;

/** After an error the message comes again, once the visibility timeout and the failed run's lease are over. */
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
