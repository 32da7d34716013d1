import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type * as v from 'valibot';
import { workOnEach } from '../../shared/batch.ts';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { logger, logInvocation } from '../../shared/log.ts';
import { NotificationMessage } from '../contract.ts';
import { notificationIdOf } from '../domain/identifiers.ts';
import { webSockets, withinTime } from '../push.ts';
import { acknowledgementsTable } from '../store/acknowledgements.ts';
import { connectionsTable } from '../store/connections.ts';
import { inboxTable } from '../store/inbox.ts';
import { messagesTable } from '../store/messages.ts';
import { notificationQueue } from '../store/queues.ts';
import { deliver } from './deliver.ts';

const services = lazily(() => {
  const client = createDynamoDbClient();
  return {
    ...webSockets(),
    now: systemClock,
    messages: messagesTable(client),
    inbox: inboxTable(client),
    acknowledgements: acknowledgementsTable(client),
    connections: connectionsTable(client),
    sendNotification: notificationQueue(),
  };
});

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  const bounded = withinTime(services(), context);
  logInvocation(context);
  return workOnEach(event.Records, NotificationMessage, idsOf, async (message) => {
    const startedAt = performance.now();
    const only = message.kind === 'push' ? message.connectionIds : undefined;
    const delivery = await deliver(message, bounded, only);
    const milliseconds = Math.round(performance.now() - startedAt);
    logger.info('message delivered', { ...idsOf(message), ...delivery, milliseconds });
  });
}

function idsOf({ conversationId, sequence, requestId }: v.InferOutput<typeof NotificationMessage>) {
  return {
    notificationId: notificationIdOf({ conversationId, sequence }),
    conversationId,
    sequence,
    requestId,
  };
}
