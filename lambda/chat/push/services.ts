import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames } from '../contract.ts';
import { isAcknowledged } from '../store/acknowledgements.ts';
import { liveConnections } from '../store/connections.ts';
import { getMessage } from '../store/messages.ts';
import { putNotification, removeNotification } from '../store/notifications.ts';
import { queueSender } from '../store/queue-sender.ts';
import type { DeliveryServices } from './deliver.ts';
import { pushServices } from './worker.ts';

/** Delivery's ports, on what the environment names. */
export function buildServices(): Omit<DeliveryServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messages = environmentVariable(environmentNames.messagesTable);
  const notifications = environmentVariable(environmentNames.notificationsTable);
  const acknowledgements = environmentVariable(environmentNames.acknowledgementsTable);
  const connections = environmentVariable(environmentNames.connectionsTable);
  const queueUrl = environmentVariable(environmentNames.notificationQueueUrl);
  return {
    ...pushServices(client, connections),
    now: systemClock,
    getMessage: (conversationId, sequence) => getMessage(client, messages, conversationId, sequence),
    putNotification: (message) => putNotification(client, notifications, message, systemClock()),
    isAcknowledged: (userId, place) => isAcknowledged(client, acknowledgements, userId, place),
    removeNotification: (userId, place) => removeNotification(client, notifications, userId, place),
    liveConnections: (userId) => liveConnections(client, connections, userId, systemClock()),
    sendMessage: queueSender(createSqsClient(), queueUrl),
  };
}
