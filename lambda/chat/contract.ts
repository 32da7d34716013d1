import * as v from 'valibot';
import { UserId } from './domain/message.ts';

/** Every access token of a user who signed in has it, and no ID token does. */
export const chatScope = 'aws.cognito.signin.user.admin';

export const environmentNames = {
  messagesTable: 'MESSAGES_TABLE',
  notificationsTable: 'NOTIFICATIONS_TABLE',
  acknowledgementsTable: 'ACKNOWLEDGEMENTS_TABLE',
  connectionsTable: 'CONNECTIONS_TABLE',
  rateLimitsTable: 'RATE_LIMITS_TABLE',
  conversationsTable: 'CONVERSATIONS_TABLE',
  notificationQueueUrl: 'NOTIFICATION_QUEUE_URL',
  drainQueueUrl: 'DRAIN_QUEUE_URL',
  connectionsUrl: 'CONNECTIONS_URL',
  issuer: 'ISSUER',
  issuerKeysUrl: 'ISSUER_KEYS_URL',
  chatClientId: 'CHAT_CLIENT_ID',
  rateLimitMessages: 'RATE_LIMIT_MESSAGES',
  rateLimitWindowSeconds: 'RATE_LIMIT_WINDOW_SECONDS',
} as const;

export const tables = {
  messages: {
    partitionKey: 'conversationId',
    sortKey: 'sequence',
    byMessageId: { name: 'byMessageId', sortKey: 'messageId' },
  },
  /** The sort key is `<conversationId>#<sequence, padded>`. */
  inbox: { partitionKey: 'userId', sortKey: 'conversationSequence', timeToLive: 'expiresAt' },
  /** Tombstones, under the keys of acknowledged notifications. */
  acknowledgements: { partitionKey: 'userId', sortKey: 'conversationSequence', timeToLive: 'expiresAt' },
  connections: { partitionKey: 'userId', sortKey: 'connectionId', timeToLive: 'expiresAt' },
  rateLimits: { partitionKey: 'userId', sortKey: 'windowStart', timeToLive: 'expiresAt' },
  conversations: { partitionKey: 'userId', sortKey: 'conversationId' },
} as const;

/** The routes of the WebSocket API. */
export const deviceActions = ['hello', 'ack', 'read'] as const;

/** Enough for 4,000 characters, each as two escaped surrogates. */
export const requestBodyLimitBytes = 64 * 1024;

/** A conversation may end earlier if long texts fill DynamoDB's 10 GB for an item collection. */
export const lastSequence = 1_000_000;

export const ConversationId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{32}$/, 'must be the id of a conversation'),
);

export const Sequence = v.pipe(
  v.number(),
  v.integer('must be a whole number'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(lastSequence, `must be at most ${lastSequence}`),
);

/** Beyond it, a user's oldest devices are disconnected. */
export const deviceLimit = 1000;

const NotificationId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

const ConnectionId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

/** DynamoDB writes numbers as text, and the pipe's template passes that on. */
const messageNames = {
  conversationId: ConversationId,
  sequence: v.pipe(v.string(), v.regex(/^[1-9]\d{0,6}$/), v.transform(Number), Sequence),
  /** For the log: the request that posted the message. */
  requestId: v.exactOptional(v.pipe(v.string(), v.regex(/^[\w+/=-]{0,64}$/))),
};

/** Names a chat message and carries no text. */
export const NotificationMessage = v.variant('kind', [
  v.strictObject({ kind: v.literal('message'), ...messageNames }),
  /** From the worker: these devices have not got the notification yet. */
  v.strictObject({
    kind: v.literal('push'),
    ...messageNames,
    connectionIds: v.pipe(v.array(ConnectionId), v.minLength(1), v.maxLength(deviceLimit)),
  }),
]);
export type NotificationMessage = v.InferInput<typeof NotificationMessage>;

/** A device wants its user's inbox. */
export const DrainMessage = v.strictObject({
  userId: UserId,
  connectionId: ConnectionId,
  goesOn: v.exactOptional(
    v.strictObject({
      after: NotificationId,
      since: v.pipe(v.string(), v.isoTimestamp()),
    }),
  ),
});
export type DrainMessage = v.InferInput<typeof DrainMessage>;

/** The pipe fills in variables without adding quotes. */
export const pipeInputTemplate = JSON.stringify({
  kind: 'message',
  conversationId: `<$.dynamodb.NewImage.${tables.messages.partitionKey}.S>`,
  sequence: `<$.dynamodb.NewImage.${tables.messages.sortKey}.N>`,
  requestId: '<$.dynamodb.NewImage.requestId.S>',
});
