import * as v from 'valibot';
import { UserId } from './domain/message.ts';

/** What infrastructure and functions must agree on: names, and the payloads of the queues. */

/** What is in every access token that a user got by signing in, and in no ID token. */
export const chatScope = 'aws.cognito.signin.user.admin';

/** Names of the environment variables that the functions read. */
export const environmentNames = {
  messagesTable: 'MESSAGES_TABLE',
  notificationsTable: 'NOTIFICATIONS_TABLE',
  acknowledgementsTable: 'ACKNOWLEDGEMENTS_TABLE',
  connectionsTable: 'CONNECTIONS_TABLE',
  rateLimitsTable: 'RATE_LIMITS_TABLE',
  conversationsTable: 'CONVERSATIONS_TABLE',
  notificationQueueUrl: 'NOTIFICATION_QUEUE_URL',
  drainQueueUrl: 'DRAIN_QUEUE_URL',
  /** Where frames to devices are posted: `https://…/<stage>`. */
  connectionsUrl: 'CONNECTIONS_URL',
  /** Exact value of the tokens' `iss`. */
  issuer: 'ISSUER',
  /** Where the issuer's public keys are. */
  issuerKeysUrl: 'ISSUER_KEYS_URL',
  /** The one client whose access tokens open a connection. */
  chatClientId: 'CHAT_CLIENT_ID',
  /** Messages that a sender may post in a window. */
  rateLimitMessages: 'RATE_LIMIT_MESSAGES',
  rateLimitWindowSeconds: 'RATE_LIMIT_WINDOW_SECONDS',
} as const;

/** Keys and indexes of the tables. */
export const tables = {
  messages: {
    partitionKey: 'conversationId',
    /** A number, from 1 on without a gap. */
    sortKey: 'sequence',
    byMessageId: { name: 'byMessageId', sortKey: 'messageId' },
  },
  /** The sort key is `<conversationId>#<sequence, padded>`. */
  inbox: { partitionKey: 'userId', sortKey: 'conversationSequence', timeToLive: 'expiresAt' },
  /** As that of the notification which one of the user's devices has acknowledged. */
  acknowledgements: { partitionKey: 'userId', sortKey: 'conversationSequence', timeToLive: 'expiresAt' },
  connections: { partitionKey: 'userId', sortKey: 'connectionId', timeToLive: 'expiresAt' },
  rateLimits: { partitionKey: 'userId', sortKey: 'windowStart', timeToLive: 'expiresAt' },
  /** An item for each of the two members: with whom it is, and up to where the member has read. */
  conversations: { partitionKey: 'userId', sortKey: 'conversationId' },
} as const;

/** The actions that a device may send; they are the routes of the WebSocket API. */
export const deviceActions = ['hello', 'ack', 'read'] as const;

/** Most that one request body may have, in bytes: 4,000 characters, each as two escaped surrogates, and the rest. */
export const requestBodyLimitBytes = 64 * 1024;

/** A conversation ends here, or earlier when long texts fill DynamoDB's 10 GB for an item collection. */
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

/** Devices that a user may have online; beyond this number the oldest are disconnected. */
export const deviceLimit = 1000;

const NotificationId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

const ConnectionId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

/** What names a message. DynamoDB writes its numbers as text, so the pipe's template hands on text. */
const messageNames = {
  conversationId: ConversationId,
  sequence: v.pipe(v.string(), v.regex(/^[1-9]\d{0,6}$/), v.transform(Number), Sequence),
  /** Of the request that posted the message, for the log. A pipe writes nothing for what a record lacks. */
  requestId: v.exactOptional(v.pipe(v.string(), v.regex(/^[\w+/=-]{0,64}$/))),
};

/** Body of a message on the notification queue. It names what happened, and carries no text of anybody. */
export const NotificationMessage = v.variant('kind', [
  /** From the pipe: a message was written. */
  v.strictObject({ kind: v.literal('message'), ...messageNames }),
  /** From the worker: a message is notified, and these devices have not got it yet. */
  v.strictObject({
    kind: v.literal('push'),
    ...messageNames,
    connectionIds: v.pipe(v.array(ConnectionId), v.minLength(1), v.maxLength(deviceLimit)),
  }),
]);
export type NotificationMessage = v.InferInput<typeof NotificationMessage>;

/** Body of a message on the drain queue: a device wants what waits for its user. */
export const DrainMessage = v.strictObject({
  userId: UserId,
  connectionId: ConnectionId,
  /** Of a drain that goes on. */
  goesOn: v.exactOptional(
    v.strictObject({
      /** Up to where the inbox is pushed. */
      after: NotificationId,
      /** When the drain began. */
      since: v.pipe(v.string(), v.isoTimestamp()),
    }),
  ),
});
export type DrainMessage = v.InferInput<typeof DrainMessage>;

/**
 * What the pipe makes of a stream record: a `NotificationMessage` of kind `message`. Quotes stand around variables
 * because a pipe writes them as they are.
 */
export const pipeInputTemplate = JSON.stringify({
  kind: 'message',
  conversationId: `<$.dynamodb.NewImage.${tables.messages.partitionKey}.S>`,
  sequence: `<$.dynamodb.NewImage.${tables.messages.sortKey}.N>`,
  requestId: '<$.dynamodb.NewImage.requestId.S>',
});
