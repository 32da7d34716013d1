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
 * Shows a device what it missed while it was away for longer than notifications wait.
 * @returns at most `limit`; with `next`, others follow
 */
export async function listConversationsOf(
  userId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
  services: ConversationServices,
): Promise<{ readonly items: readonly BegunConversation[]; readonly next: string | undefined }> {
  const found = await services.conversations.of(userId, after, limit + 1);
  const page = found.slice(0, limit);
  const sequences = await services.messages.lastSequences(page.map(({ conversationId }) => conversationId));
  // Without a last sequence its first message was not written, so it never began.
  const items = page.flatMap((conversation) => {
    const lastSequence = sequences.get(conversation.conversationId);
    return lastSequence === undefined ? [] : [{ ...conversation, lastSequence }];
  });
  return { items, next: found.length > limit ? page.at(-1)?.conversationId : undefined };
}
