import { notFoundProblem } from '../../shared/problem.ts';
import { isMember, type Message } from '../domain/message.ts';

export interface HistoryServices {
  readonly firstMessage: (conversationId: string) => Promise<Message | undefined>;
  /** At most `limit` messages behind a sequence, in order. */
  readonly messagesAfter: (
    conversationId: string,
    after: number,
    limit: number,
  ) => Promise<readonly Message[]>;
}

/**
 * Reads the history of a conversation behind a sequence, for one of its two members.
 *
 * @returns at most `limit` messages; with `next` others follow behind that sequence
 * @throws Problem 404 if there is no such conversation, or the user is no member, who does not learn that there is one
 */
export async function readHistory(
  userId: string,
  conversationId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
  services: HistoryServices,
): Promise<{ readonly items: readonly Message[]; readonly next: number | undefined }> {
  const found = await services.messagesAfter(conversationId, after, limit + 1);
  const some = found[0] ?? (await services.firstMessage(conversationId));
  if (some === undefined || !isMember(some, userId)) throw notFoundProblem('conversation');
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)?.sequence : undefined };
}
