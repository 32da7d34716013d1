import { notFoundProblem } from '../../shared/problem.ts';
import { isMember, type Message } from '../domain/message.ts';
import type { MessagesTable } from '../store/messages.ts';

/**
 * @returns at most `limit` messages; with `next`, others follow
 * @throws Problem 404 if there is no such conversation, or the user is not one of its two members
 */
export async function readHistory(
  userId: string,
  conversationId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
  messages: Pick<MessagesTable, 'behind' | 'get'>,
): Promise<{ readonly items: readonly Message[]; readonly next: number | undefined }> {
  const found = await messages.behind(conversationId, after, limit + 1);
  const some = found[0] ?? (await messages.get(conversationId, 1));
  if (some === undefined || !isMember(some, userId)) throw notFoundProblem('conversation');
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)?.sequence : undefined };
}
