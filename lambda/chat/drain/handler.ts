import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { logInvocation } from '../../shared/log.ts';
import { webSockets, withinTime } from '../push.ts';
import { connectionsTable } from '../store/connections.ts';
import { conversationsTable } from '../store/conversations.ts';
import { inboxTable } from '../store/inbox.ts';
import { messagesTable } from '../store/messages.ts';
import { drainQueue } from '../store/queues.ts';
import { drainDevices } from './drain-devices.ts';

const services = lazily(() => {
  const client = createDynamoDbClient();
  return {
    ...webSockets(),
    now: systemClock,
    connections: connectionsTable(client),
    conversations: conversationsTable(client),
    inbox: inboxTable(client),
    messages: messagesTable(client),
    sendDrain: drainQueue(),
  };
});

export async function handler(
  event: SQSEvent,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
): Promise<SQSBatchResponse> {
  logInvocation(context);
  return drainDevices(event.Records, withinTime(services(), context));
}
