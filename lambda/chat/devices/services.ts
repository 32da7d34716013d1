import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames } from '../contract.ts';
import { createPushFrame } from '../push/push.ts';
import { liveConnections, removeConnection, requestDrain, type Device } from '../store/connections.ts';
import { advanceReadPosition } from '../store/conversations.ts';
import { lastMessage } from '../store/messages.ts';
import { queueSender } from '../store/queue-sender.ts';
import type { HelloServices } from './hello.ts';
import type { ReadServices } from './read.ts';

/** The ports of each route, on what the environment names. */

export function buildHelloServices(): HelloServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.connectionsTable);
  return {
    requestDrain: (device) => requestDrain(client, table, device, systemClock()),
    sendMessage: queueSender(createSqsClient(), environmentVariable(environmentNames.drainQueueUrl)),
    pushFrame: createPushFrame(environmentVariable(environmentNames.connectionsUrl)),
  };
}

export function buildReadServices(): Omit<ReadServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messagesTable = environmentVariable(environmentNames.messagesTable);
  const connectionsTable = environmentVariable(environmentNames.connectionsTable);
  const conversationsTable = environmentVariable(environmentNames.conversationsTable);
  return {
    lastMessage: (conversationId) => lastMessage(client, messagesTable, conversationId),
    advance: (userId, conversationId, sequence) =>
      advanceReadPosition(client, conversationsTable, { userId, conversationId, sequence }, systemClock()),
    liveConnections: (userId) => liveConnections(client, connectionsTable, userId, systemClock()),
    pushFrame: createPushFrame(environmentVariable(environmentNames.connectionsUrl)),
    removeConnection: (device) => removeConnection(client, connectionsTable, device),
  };
}

export interface DisconnectServices {
  readonly removeConnection: (device: Device) => Promise<void>;
}

export function buildDisconnectServices(): DisconnectServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.connectionsTable);
  return { removeConnection: (device) => removeConnection(client, table, device) };
}
