import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames } from '../contract.ts';
import { pushServices } from '../push/worker.ts';
import { noteDrain } from '../store/connections.ts';
import { conversationsOf } from '../store/conversations.ts';
import { lastMessage } from '../store/messages.ts';
import { waitingPage } from '../store/notifications.ts';
import { queueSender } from '../store/queue-sender.ts';
import { caughtUpFrame } from './caught-up.ts';
import type { DrainServices } from './drain.ts';

/** Notifications read at once: pushing them takes a second or two. */
const PAGE_ITEMS = 100;

/** A drain's ports, on what the environment names. */
export function buildServices(): Omit<DrainServices, 'isTimeUp'> {
  const client = createDynamoDbClient();
  const messages = environmentVariable(environmentNames.messagesTable);
  const connections = environmentVariable(environmentNames.connectionsTable);
  const conversations = environmentVariable(environmentNames.conversationsTable);
  const names = {
    notifications: environmentVariable(environmentNames.notificationsTable),
    acknowledgements: environmentVariable(environmentNames.acknowledgementsTable),
  };
  return {
    ...pushServices(client, connections),
    now: systemClock,
    waitingPage: (userId, after) =>
      waitingPage(client, names, userId, { after, now: systemClock(), pageItems: PAGE_ITEMS }),
    noteDrain: (device, state) => noteDrain(client, connections, device, state, systemClock()),
    caughtUpFrame: (userId) =>
      caughtUpFrame(userId, {
        conversationsOf: (...page) => conversationsOf(client, conversations, ...page),
        lastSequence: async (conversationId) =>
          (await lastMessage(client, messages, conversationId))?.sequence,
      }),
    sendMessage: queueSender(createSqsClient(), environmentVariable(environmentNames.drainQueueUrl)),
  };
}
