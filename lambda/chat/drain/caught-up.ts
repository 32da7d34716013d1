import type { ServerFrame } from '../frames.ts';
import type { ConversationsTable } from '../store/conversations.ts';
import type { MessagesTable } from '../store/messages.ts';

export type CaughtUpFrame = Extract<ServerFrame, { type: 'caught-up' }>;

export interface CaughtUpServices {
  readonly conversations: Pick<ConversationsTable, 'of'>;
  readonly messages: Pick<MessagesTable, 'lastSequences'>;
}

/** Still far below the 32 KB that a WebSocket frame may have. */
const CAUGHT_UP_CONVERSATIONS = 500;

/**
 * Shows a device what it lacks, even if another device acknowledged it. `more`: there are others; `GET /conversations`
 * has all.
 */
export async function caughtUpFrame(userId: string, services: CaughtUpServices): Promise<CaughtUpFrame> {
  const found = await services.conversations.of(userId, undefined, CAUGHT_UP_CONVERSATIONS + 1);
  const named = found.slice(0, CAUGHT_UP_CONVERSATIONS).map(({ conversationId }) => conversationId);
  return {
    type: 'caught-up',
    conversations: Object.fromEntries(await services.messages.lastSequences(named)),
    ...(found.length > named.length ? { more: true } : {}),
  };
}
