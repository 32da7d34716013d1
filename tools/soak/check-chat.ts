import { notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import type { AcceptedMessage, Sighting } from './chat-books.ts';
import type { Findings } from './findings.ts';
import type { MessageItem, NotificationItem } from './tables.ts';

/** What the chat's tables say at the end, and what senders and devices say. */
export interface ChatEvidence {
  readonly accepted: ReadonlyMap<string, AcceptedMessage>;
  readonly sightings: ReadonlyMap<string, Sighting>;
  readonly messages: AsyncIterable<MessageItem> | Iterable<MessageItem>;
  readonly notifications: AsyncIterable<NotificationItem> | Iterable<NotificationItem>;
  /** What a device of each user was pushed that said hello when all was still, by notification id. */
  readonly lastHello: ReadonlyMap<string, readonly string[]>;
}

/** A line of the table of recipients: accepted = acknowledged + waiting. */
export interface RecipientRow {
  readonly userId: string;
  readonly accepted: number;
  readonly acknowledged: number;
  readonly waiting: number;
}

/**
 * Who pushes reads whether a notification is acknowledged just before. From there to a device it takes no longer than
 * the worker's timeout (5 s) and what the faults hold up (2.2 s): one that comes later than this was brought back.
 */
const LATE_PUSH_MILLISECONDS = 10_000;

/**
 * Holds what senders and devices remember against the tables: every message that was accepted stands once in its
 * conversation, without gaps, and is acknowledged or waits; and what was acknowledged stays so.
 */
export async function checkChat(evidence: ChatEvidence, findings: Findings): Promise<RecipientRow[]> {
  const { accepted } = evidence;
  const acceptedCounts = new Map<string, number>();
  for (const { to } of accepted.values()) acceptedCounts.set(to, (acceptedCounts.get(to) ?? 0) + 1);
  await checkMessages(evidence, findings);
  const { waiting, acknowledged } = await checkNotifications(evidence, findings);
  checkLastHello(evidence, waiting, findings);
  const rows = [...acceptedCounts.keys(), ...waiting.keys(), ...acknowledged.keys()];
  return [...new Set(rows)].toSorted().map((userId) => {
    const row = {
      userId,
      accepted: acceptedCounts.get(userId) ?? 0,
      acknowledged: acknowledged.get(userId)?.size ?? 0,
      waiting: waiting.get(userId)?.size ?? 0,
    };
    if (row.accepted !== row.acknowledged + row.waiting)
      findings.add(
        `accepted ${row.accepted}, but acknowledged ${row.acknowledged} and waiting ${row.waiting}`,
        userId,
      );
    return row;
  });
}

async function checkMessages({ accepted, messages }: ChatEvidence, findings: Findings): Promise<void> {
  const missing = new Set(accepted.keys());
  const conversations = new Map<string, { count: number; last: number }>();
  const seen = new Set<string>();
  for await (const { conversationId, sequence, messageId } of messages) {
    const message = accepted.get(messageId);
    const where = `conversation ${conversationId}`;
    missing.delete(messageId);
    if (message === undefined) findings.add('written, though no sender was told so', where, messageId);
    else if (seen.has(messageId)) findings.add('written more than once', where, messageId);
    else if (message.conversationId !== conversationId || message.sequence !== sequence)
      findings.add('written in another place than was answered', where, messageId);
    seen.add(messageId);
    const conversation = conversations.get(conversationId) ?? { count: 0, last: 0 };
    conversations.set(conversationId, {
      count: conversation.count + 1,
      last: Math.max(conversation.last, sequence),
    });
  }
  for (const id of missing) {
    findings.add('accepted, and not written', `conversation ${accepted.get(id)?.conversationId}`, id);
  }
  for (const [conversationId, { count, last }] of conversations) {
    // Places are keys, so that no two messages share one: as many as the last says means none is free.
    if (count !== last) findings.add(`${last - count} gaps`, `conversation ${conversationId}`);
  }
}

type ByUser = ReadonlyMap<string, ReadonlySet<string>>;

async function checkNotifications(
  { accepted, sightings, notifications }: ChatEvidence,
  findings: Findings,
): Promise<{ readonly waiting: ByUser; readonly acknowledged: ByUser }> {
  const missing = new Map<string, string>();
  for (const { to, conversationId, sequence } of accepted.values())
    missing.set(`${to} ${notificationIdOf({ conversationId, sequence })}`, to);
  const waiting = new Map<string, Set<string>>();
  const acknowledged = new Map<string, Set<string>>();
  for await (const { userId, conversationId, sequence, acknowledgedAt } of notifications) {
    const id = notificationIdOf({ conversationId, sequence });
    if (!missing.delete(`${userId} ${id}`)) findings.add('notified, and never accepted', userId, id);
    const kind = acknowledgedAt === undefined ? waiting : acknowledged;
    kind.set(userId, (kind.get(userId) ?? new Set()).add(id));
    const { lastAt = 0, goneAt = Infinity } = sightings.get(id) ?? {};
    if (acknowledgedAt === undefined) continue;
    if (lastAt > Math.min(goneAt, Date.parse(acknowledgedAt)) + LATE_PUSH_MILLISECONDS)
      findings.add('acknowledged, and pushed again', userId, id);
  }
  for (const [key, userId] of missing)
    findings.add('accepted, and neither acknowledged nor waiting', userId, key.slice(userId.length + 1));
  return { waiting, acknowledged };
}

/** When all is still, a device that says hello gets what waits, and nothing else. */
function checkLastHello({ lastHello }: ChatEvidence, waiting: ByUser, findings: Findings): void {
  for (const [userId, pushed] of lastHello) {
    const waits = waiting.get(userId) ?? new Set();
    const got = new Set(pushed);
    for (const id of got) {
      if (!waits.has(id)) findings.add('acknowledged, and came back at a hello', userId, id);
    }
    for (const id of waits) {
      if (!got.has(id)) findings.add('waiting, and not pushed at a hello', userId, id);
    }
  }
}
