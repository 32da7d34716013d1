import * as v from 'valibot';
import { Hash, Instant, pageOf, ProblemBody, type Body } from '../shared/api.ts';
import { problemsOf } from '../shared/problem.ts';
import { ConversationId, Sequence } from './contract.ts';
import { PostedMessage, UserId, type Message } from './domain/message.ts';

export const problemTypes = {
  'no-chat-user': [403, 'The token is not that of a chat user'],
  'conversation-full': [409, 'The conversation has come to its end'],
  'client-message-id-reused': [422, 'The clientMessageId was used for another text'],
  'too-many-messages': [429, 'You are writing too many messages'],
  'conversation-busy': [503, 'Too many messages are being written to this conversation'],
} as const;

export const problem = problemsOf(problemTypes);

const NotificationId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}-\d{7}$/));

const MessageBody = v.object({
  messageId: Hash,
  conversationId: ConversationId,
  sequence: Sequence,
  from: UserId,
  to: UserId,
  text: PostedMessage.entries.text,
  sentAt: Instant,
});

const NotificationBody = v.object({
  notificationId: NotificationId,
  ...v.omit(MessageBody, ['to']).entries,
});

export type NotificationBody = Body<typeof NotificationBody>;

const ConversationBody = v.object({
  conversationId: ConversationId,
  with: UserId,
  lastSequence: Sequence,
  readSequence: v.union([v.literal(0), Sequence]),
});

export const requests = { PostedMessage };

/** By their names in the OpenAPI document. */
export const responses = {
  NotificationId,
  WrittenMessage: v.pick(MessageBody, ['messageId', 'conversationId', 'sequence', 'sentAt']),
  Message: MessageBody,
  MessagePage: v.object(pageOf(MessageBody)),
  Notification: NotificationBody,
  NotificationPage: v.object(pageOf(NotificationBody)),
  Conversation: ConversationBody,
  ConversationPage: v.object(pageOf(ConversationBody)),
};

export const serverFrames = {
  notification: v.object({ type: v.literal('notification'), ...NotificationBody.entries }),
  'caught-up': v.object({
    type: v.literal('caught-up'),
    /** The last sequence of each. */
    conversations: v.record(ConversationId, Sequence),
    /** There may be conversations that are not named. */
    more: v.exactOptional(v.literal(true)),
  }),
  read: v.object({
    type: v.literal('read'),
    conversationId: ConversationId,
    by: UserId,
    sequence: Sequence,
  }),
  error: v.object({ type: v.literal('error'), problem: ProblemBody }),
};

export function writtenMessageBody({
  messageId,
  conversationId,
  sequence,
  sentAt,
}: Message): Body<typeof responses.WrittenMessage> {
  return { messageId, conversationId, sequence, sentAt };
}

export function messageBody(message: Message): Body<typeof MessageBody> {
  const { messageId, conversationId, sequence, from, to, text, sentAt } = message;
  return { messageId, conversationId, sequence, from, to, text, sentAt };
}
