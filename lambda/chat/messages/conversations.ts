import type { ConversationsTable, MemberConversation } from '../store/conversations.ts';
import type { MessagesTable } from '../store/messages.ts';

export interface ConversationServices {
  readonly conversations: Pick<ConversationsTable, 'of'>;
  readonly messages: Pick<MessagesTable, 'lastSequences'>;
}

export interface BegunConversation extends MemberConversation {
  readonly lastSequence: number;
}

/**
 * Lists a user's conversations behind one of them, each with its last sequence and the user's read position. A device
 * that was away for longer than notifications wait finds what it missed here.
 *
 * @returns at most `limit`; with `next` others follow behind that one
 */
export async function listConversationsOf(
  userId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
  services: ConversationServices,
): Promise<{ readonly items: readonly BegunConversation[]; readonly next: string | undefined }> {
  const found = await services.conversations.of(userId, after, limit + 1);
  const page = found.slice(0, limit);
  const sequences = await services.messages.lastSequences(page.map(({ conversationId }) => conversationId));
  // A conversation without a last sequence never began: its first message was not written.
  const items = page.flatMap((conversation) => {
    const lastSequence = sequences.get(conversation.conversationId);
    return lastSequence === undefined ? [] : [{ ...conversation, lastSequence }];
  });
  return { items, next: found.length > limit ? page.at(-1)?.conversationId : undefined };
}
