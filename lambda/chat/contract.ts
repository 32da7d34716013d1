import * as v from 'valibot';
import { UserId } from './domain/message.ts';

/** What infrastructure and functions must agree on: names, and the payload of the notification queue. */

/** What is in every access token that a user got by signing in, and in no ID token. */
export const chatScope = 'aws.cognito.signin.user.admin';

/** Names of the environment variables that the functions read. */
export const environmentNames = {
  messagesTable: 'MESSAGES_TABLE',
  notificationsTable: 'NOTIFICATIONS_TABLE',
  connectionsTable: 'CONNECTIONS_TABLE',
  rateLimitsTable: 'RATE_LIMITS_TABLE',
  readPositionsTable: 'READ_POSITIONS_TABLE',
  notificationQueueUrl: 'NOTIFICATION_QUEUE_URL',
  /** Where frames to devices are posted: `https://…/<stage>`. */
  connectionsUrl: 'CONNECTIONS_URL',
  /** Exact value of the tokens' `iss`. */
  issuer: 'ISSUER',
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
  notifications: { partitionKey: 'userId', sortKey: 'conversationSequence', timeToLive: 'expiresAt' },
  connections: { partitionKey: 'userId', sortKey: 'connectionId', timeToLive: 'expiresAt' },
  rateLimits: { partitionKey: 'userId', sortKey: 'windowStart', timeToLive: 'expiresAt' },
  readPositions: { partitionKey: 'userId', sortKey: 'conversationId' },
} as const;

/** The actions that a device may send; they are the routes of the WebSocket API. */
export const deviceActions = ['hello', 'ack', 'read'] as const;

/** Most that one request body may have, in bytes: 4,000 characters, each as two escaped surrogates, and the rest. */
export const requestBodyLimitBytes = 64 * 1024;

/** A conversation ends here: an item collection with a local secondary index may have 10 GB. */
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

/** A message on a queue may have 256 KB; so many ids are 90. */
export const recentLimit = 2000;

const NotificationId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));

/** Body of a message on the notification queue. It names what happened, and carries no text of anybody. */
export const NotificationMessage = v.variant('kind', [
  /** From the pipe: a message was written. */
  v.strictObject({
    kind: v.literal('message'),
    conversationId: ConversationId,
    /** DynamoDB writes its numbers as text, so the pipe's template hands on text. */
    sequence: v.pipe(v.string(), v.regex(/^[1-9]\d{0,6}$/), v.transform(Number), Sequence),
    /** Of the request that posted the message, for the log. A pipe writes nothing for what a record lacks. */
    requestId: v.exactOptional(v.pipe(v.string(), v.regex(/^[\w+/=-]{0,64}$/))),
  }),
  /** From `hello`, and from a drain that has not come to its end: a device wants what waits for its user. */
  v.strictObject({
    kind: v.literal('device-online'),
    userId: UserId,
    connectionId: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
    /** Of a drain that goes on. */
    goesOn: v.exactOptional(
      v.strictObject({
        /** The last notification that it has pushed. */
        after: NotificationId,
        /** When it began. */
        since: v.pipe(v.string(), v.isoTimestamp()),
        /** What it has pushed of what may have come since. */
        recent: v.pipe(v.array(NotificationId), v.maxLength(recentLimit)),
      }),
    ),
  }),
]);
export type NotificationMessage = v.InferInput<typeof NotificationMessage>;

/** A device that says hello, or a drain that goes on, as the worker reads it. */
export type DeviceOnline = Extract<v.InferOutput<typeof NotificationMessage>, { kind: 'device-online' }>;

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
