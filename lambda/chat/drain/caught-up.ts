import { forEachConcurrently } from '../../shared/concurrency.ts';
import type { CaughtUpFrame } from './drain.ts';
import type { MemberConversation } from '../store/conversations.ts';

export interface CaughtUpServices {
  /** At most `limit` conversations of the user, by id, behind one of them. */
  readonly conversationsOf: (
    userId: string,
    after: string | undefined,
    limit: number,
  ) => Promise<readonly MemberConversation[]>;
  readonly lastSequence: (conversationId: string) => Promise<number | undefined>;
}

/** A frame with this many conversations is still far below the 32 KB that a WebSocket frame may have. */
const CAUGHT_UP_CONVERSATIONS = 500;
const READS_AT_ONCE = 25;

/**
 * Says up to where each of the user's conversations goes, so that a device sees what it lacks: also what another one
 * acknowledged. With `more` there are others: `GET /conversations` has all.
 */
export async function caughtUpFrame(userId: string, services: CaughtUpServices): Promise<CaughtUpFrame> {
  const found = await services.conversationsOf(userId, undefined, CAUGHT_UP_CONVERSATIONS + 1);
  const named = found.slice(0, CAUGHT_UP_CONVERSATIONS);
  const conversations = await lastSequences(named, services);
  return {
    type: 'caught-up',
    conversations: Object.fromEntries(conversations),
    ...(found.length > named.length ? { more: true } : {}),
  };
}

/** The last sequence of each conversation that has begun, by id. */
export async function lastSequences(
  conversations: readonly MemberConversation[],
  services: Pick<CaughtUpServices, 'lastSequence'>,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  await forEachConcurrently(conversations, READS_AT_ONCE, async ({ conversationId }) => {
    const last = await services.lastSequence(conversationId);
    if (last !== undefined) found.set(conversationId, last);
  });
  return found;
}
