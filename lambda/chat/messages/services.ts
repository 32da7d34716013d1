import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentNumber, environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import type { CaughtUpServices } from '../drain/caught-up.ts';
import { addConversation, conversationsOf } from '../store/conversations.ts';
import { getMessage, lastMessage, messagesAfter, putMessage, sequenceOfMessage } from '../store/messages.ts';
import { takeFromLimit } from '../store/rate-limits.ts';
import type { HistoryServices } from './history.ts';
import type { PostServices } from './write-message.ts';

/** The ports of each route, on the tables that the environment names. */

export function buildPostServices(): PostServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.messagesTable);
  const conversationsTable = environmentVariable(environmentNames.conversationsTable);
  const limitsTable = environmentVariable(environmentNames.rateLimitsTable);
  const limit = {
    messages: environmentNumber(environmentNames.rateLimitMessages),
    windowSeconds: environmentNumber(environmentNames.rateLimitWindowSeconds),
  };
  return {
    now: systemClock,
    lastSequence: async (conversationId) => (await lastMessage(client, table, conversationId))?.sequence ?? 0,
    find: async (conversationId, messageId) => {
      const sequence = await sequenceOfMessage(client, table, conversationId, messageId);
      return sequence === undefined ? undefined : getMessage(client, table, conversationId, sequence);
    },
    addConversation: (userId, conversationId, other) =>
      addConversation(client, conversationsTable, { userId, conversationId, with: other }),
    put: (message) => putMessage(client, table, message),
    takeFromLimit: (userId) => takeFromLimit(client, limitsTable, userId, limit, systemClock()),
    // Random, so that writers who collided do not collide again.
    pause: (attempt) => wait(Math.random() * Math.min(10 * attempt, 100)),
  };
}

export function buildHistoryServices(): HistoryServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.messagesTable);
  return {
    firstMessage: (conversationId) => getMessage(client, table, conversationId, 1),
    messagesAfter: (conversationId, after, limit) =>
      messagesAfter(client, table, conversationId, after, limit),
  };
}

export function buildConversationServices(): CaughtUpServices {
  const client = createDynamoDbClient();
  const conversations = environmentVariable(environmentNames.conversationsTable);
  const messages = environmentVariable(environmentNames.messagesTable);
  return {
    conversationsOf: (...page) => conversationsOf(client, conversations, ...page),
    lastSequence: async (conversationId) => (await lastMessage(client, messages, conversationId))?.sequence,
  };
}
