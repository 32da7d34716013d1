import { systemClock, timeLimit } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { deviceHandler } from '../device.ts';
import { webSockets } from '../push.ts';
import { connectionsTable } from '../store/connections.ts';
import { conversationsTable } from '../store/conversations.ts';
import { messagesTable } from '../store/messages.ts';
import { read } from './read.ts';

/** Half of the function's timeout. */
const RECEIPTS_MILLISECONDS = 5000;

const services = lazily(() => {
  const client = createDynamoDbClient();
  return {
    ...webSockets(),
    now: systemClock,
    messages: messagesTable(client),
    conversations: conversationsTable(client),
    connections: connectionsTable(client),
  };
});

export const handler = deviceHandler(async (request) =>
  read(request, { ...services(), isTimeUp: timeLimit(RECEIPTS_MILLISECONDS) }),
);
