import { problemsOf } from '../shared/problem.ts';
import type { Message } from './domain/message.ts';

/** The problems of the HTTP API, besides those of every API: status and title by type. */
export const problemTypes = {
  'no-chat-user': [403, 'The token is not that of a chat user'],
  'conversation-full': [409, 'The conversation has come to its end'],
  'client-message-id-reused': [422, 'The clientMessageId was used for another text'],
  'too-many-messages': [429, 'You are writing too many messages'],
  'conversation-busy': [503, 'Too many messages are being written to this conversation'],
} as const;

export const problem = problemsOf(problemTypes);

/** A message as its writer is told of it. */
export function writtenMessageBody({
  messageId,
  conversationId,
  sequence,
  sentAt,
}: Message): Record<string, unknown> {
  return { messageId, conversationId, sequence, sentAt };
}

/** A message of the history. */
export function messageBody(message: Message): Record<string, unknown> {
  const { messageId, conversationId, sequence, from, to, text, sentAt } = message;
  return { messageId, conversationId, sequence, from, to, text, sentAt };
}
