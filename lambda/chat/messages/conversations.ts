import { lastSequences, type CaughtUpServices } from '../drain/caught-up.ts';
import type { MemberConversation } from '../store/conversations.ts';

/** A conversation of a user, and where it ends. */
export interface BegunConversation extends MemberConversation {
  readonly lastSequence: number;
}

/**
 * Lists the conversations of a user behind one of them, each with its last sequence and up to where the user has read. So
 * a device that was away for longer than notifications wait finds what it missed.
 *
 * @returns at most `limit`; with `next` others follow behind that one
 */
export async function listConversationsOf(
  userId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
  services: CaughtUpServices,
): Promise<{ readonly items: readonly BegunConversation[]; readonly next: string | undefined }> {
  const found = await services.conversationsOf(userId, after, limit + 1);
  const page = found.slice(0, limit);
  const sequences = await lastSequences(page, services);
  // A conversation without a last sequence was about to begin, and did not.
  const items = page.flatMap((conversation) => {
    const lastSequence = sequences.get(conversation.conversationId);
    return lastSequence === undefined ? [] : [{ ...conversation, lastSequence }];
  });
  return { items, next: found.length > limit ? page.at(-1)?.conversationId : undefined };
}
