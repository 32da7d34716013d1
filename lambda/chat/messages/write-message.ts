import { logger } from '../../shared/log.ts';
import { validationProblem } from '../../shared/problem.ts';
import { problem } from '../api.ts';
import { lastSequence } from '../contract.ts';
import { conversationIdOf, messageIdOf } from '../domain/identifiers.ts';
import type { Message, PostedMessage } from '../domain/message.ts';

/** What posting a message needs of the world. */
export interface PostServices {
  readonly now: () => Date;
  /** The sequence of the last message; 0 if there is none. */
  readonly lastSequence: (conversationId: string) => Promise<number>;
  readonly find: (conversationId: string, messageId: string) => Promise<Message | undefined>;
  /** Adds a conversation that is about to begin to those of a member. */
  readonly addConversation: (userId: string, conversationId: string, other: string) => Promise<void>;
  readonly put: (message: Message) => Promise<'written' | 'taken' | 'full'>;
  /** Counts one message of the sender. @returns undefined, or the seconds to wait if it was one too many */
  readonly takeFromLimit: (userId: string) => Promise<number | undefined>;
  /** Waits a little, and longer the more attempts have failed. */
  readonly pause: (attempt: number) => Promise<void>;
}

/** A message as a user posts it. */
export interface PostRequest extends PostedMessage {
  readonly from: string;
  readonly requestId: string;
}

/** `replayed`: the message was written before. `too many`: the sender must wait. */
export type Written =
  | { readonly outcome: 'written' | 'replayed'; readonly message: Message }
  | { readonly outcome: 'too many'; readonly waitSeconds: number };

/** Enough for the unluckiest of this many simultaneous writers of one conversation to get a turn. */
const ATTEMPTS = 50;

/**
 * Writes a message once, however often the request comes, under the next sequence of its conversation. The write is the
 * event: the pipe that notifies recipients reads the table's stream.
 *
 * @throws Problem 400 to oneself, 409 at a conversation's end, 422 if its clientMessageId was used for another text, 503
 * if too many write at once
 */
export async function writeMessage(
  { from, to, text, clientMessageId, requestId }: PostRequest,
  services: PostServices,
): Promise<Written> {
  if (to === from)
    throw validationProblem([{ pointer: '/to', detail: 'must be another user than yourself' }]);
  const conversationId = conversationIdOf(from, to);
  const messageId = messageIdOf(from, to, clientMessageId);

  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // In this order: a double of this message stands at or before `last`, where it is found, or takes the next place.
    const last = await services.lastSequence(conversationId);
    const found = await services.find(conversationId, messageId);
    if (found !== undefined) return replay(found, text);
    if (last >= lastSequence) throw conversationFull();
    if (attempt === 1) {
      const waitSeconds = await services.takeFromLimit(from);
      if (waitSeconds !== undefined) return { outcome: 'too many', waitSeconds };
    }
    // Before the message, so that a conversation that has one is found; without one it is not shown.
    if (last === 0) {
      await Promise.all([
        services.addConversation(from, conversationId, to),
        services.addConversation(to, conversationId, from),
      ]);
    }
    const sentAt = services.now().toISOString();
    const message = { conversationId, sequence: last + 1, messageId, from, to, text, sentAt, requestId };
    const result = await services.put(message);
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
