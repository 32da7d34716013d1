import { logger } from '../../shared/log.ts';
import { validationProblem } from '../../shared/problem.ts';
import { problem } from '../api.ts';
import { lastSequence } from '../contract.ts';
import { conversationIdOf, messageIdOf } from '../domain/identifiers.ts';
import type { Message, PostedMessage } from '../domain/message.ts';
import type { ConversationsTable } from '../store/conversations.ts';
import type { MessagesTable } from '../store/messages.ts';
import type { RateLimit, RateLimitsTable } from '../store/rate-limits.ts';

export interface PostServices {
  readonly now: () => Date;
  readonly messages: Pick<MessagesTable, 'find' | 'last' | 'put'>;
  readonly conversations: Pick<ConversationsTable, 'add'>;
  readonly rateLimits: RateLimitsTable;
  readonly rateLimit: RateLimit;
  readonly pause: (attempt: number) => Promise<void>;
}

export interface PostRequest extends PostedMessage {
  readonly from: string;
  readonly requestId: string;
}

/** `replayed`: the message was written before. */
export type Written =
  | { readonly outcome: 'written' | 'replayed'; readonly message: Message }
  | { readonly outcome: 'too many'; readonly waitSeconds: number };

/** Even the unluckiest of 50 simultaneous writers gets a turn. */
const ATTEMPTS = 50;

/**
 * Writes a message once, however often the request comes. The write is also the event: a pipe reads the table's stream.
 * @throws Problem 400 for a message to oneself, 409 if the conversation is full, 422 if the clientMessageId was used
 *   for another text, 503 if too many write at once
 */
export async function writeMessage(
  { from, to, text, clientMessageId, requestId }: PostRequest,
  services: PostServices,
): Promise<Written> {
  const { messages, conversations, now } = services;
  if (to === from)
    throw validationProblem([{ pointer: '/to', detail: 'must be another user than yourself' }]);
  const conversationId = conversationIdOf(from, to);
  const messageId = messageIdOf(from, to, clientMessageId);

  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // The order matters: a double of this message is found at or before `last`, or takes the next place.
    const last = (await messages.last(conversationId))?.sequence ?? 0;
    const found = await messages.find(conversationId, messageId);
    if (found !== undefined) return replay(found, text);
    if (last >= lastSequence) throw conversationFull();
    if (attempt === 1) {
      const waitSeconds = await services.rateLimits.take(from, services.rateLimit, now());
      if (waitSeconds !== undefined) return { outcome: 'too many', waitSeconds };
    }
    // Before the message, so that its members find the conversation. Without a message it is not shown.
    if (last === 0) {
      await Promise.all([
        conversations.add({ userId: from, conversationId, with: to }),
        conversations.add({ userId: to, conversationId, with: from }),
      ]);
    }
    const sentAt = now().toISOString();
    const message = { conversationId, sequence: last + 1, messageId, from, to, text, sentAt, requestId };
    const result = await messages.put(message);
    if (result === 'full') throw conversationFull();
    if (result === 'written') {
      logger.info('message written', { conversationId, sequence: message.sequence, messageId, attempt });
      return { outcome: 'written', message };
    }
    await services.pause(attempt);
  }
  throw problem('conversation-busy', { detail: 'Send the same request again: nothing is done twice.' });
}

function replay(message: Message, text: string): Written {
  if (message.text === text) return { outcome: 'replayed', message };
  throw problem('client-message-id-reused', {
    detail: 'Send a new clientMessageId with a new message; the same one only with the same text.',
  });
}

function conversationFull() {
  return problem('conversation-full', {
    detail: `A conversation ends at ${lastSequence} messages, or 10 GB.`,
  });
}
