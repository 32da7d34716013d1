import { notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';
import { getOrAdd } from '../harness/maps.ts';
import type { AcceptedMessage, Sighting } from './books.ts';
import { matchItems } from './matching.ts';
import type { Findings } from './record.ts';
import type { MessageItem, NotificationItem } from './tables.ts';

export interface ChatEvidence {
  readonly accepted: ReadonlyMap<string, AcceptedMessage>;
  readonly sightings: ReadonlyMap<string, Sighting>;
  readonly messages: AsyncIterable<MessageItem> | Iterable<MessageItem>;
  readonly notifications: AsyncIterable<NotificationItem> | Iterable<NotificationItem>;
  /** By user, once everything has come to rest. */
  readonly lastHello: ReadonlyMap<string, readonly string[]>;
}

/** accepted = acknowledged + waiting */
export interface RecipientRow {
  readonly userId: string;
  readonly accepted: number;
  readonly acknowledged: number;
  readonly waiting: number;
}

/** A push reads acknowledgements first, and then takes at most 5 s (worker's timeout) and 2.2 s (longest fault). */
const LATE_PUSH_MILLISECONDS = 10_000;

/** Every accepted message is once in its conversation, without gaps, and waits, or is acknowledged and stays so. */
export async function checkChat(evidence: ChatEvidence, findings: Findings): Promise<RecipientRow[]> {
  await checkMessages(evidence, findings);
  const users = await checkNotifications(evidence, findings);
  checkLastHello(evidence, users, findings);
  return [...users.values()]
    .toSorted((one, other) => (one.userId < other.userId ? -1 : 1))
    .map(({ userId, accepted, acknowledged, waiting }) => {
      const row = { userId, accepted, acknowledged, waiting: waiting.size };
      if (accepted !== acknowledged + waiting.size)
        findings.add(
          `accepted ${accepted}, but acknowledged ${acknowledged} and waiting ${waiting.size}`,
          userId,
        );
      return row;
    });
}

const conversationOf = ({ conversationId }: { readonly conversationId: string }): string =>
  `conversation ${conversationId}`;

async function checkMessages({ accepted, messages }: ChatEvidence, findings: Findings): Promise<void> {
  const conversations = new Map<string, { count: number; last: number }>();
  await matchItems(accepted, messages, findings, {
    state: 'written',
    idOf: ({ messageId }) => messageId,
    placeOf: conversationOf,
    isSame: (message, item) =>
      message.conversationId === item.conversationId && message.sequence === item.sequence,
    each: (item) => {
      const conversation = getOrAdd(conversations, conversationOf(item), () => ({ count: 0, last: 0 }));
      conversation.count += 1;
      conversation.last = Math.max(conversation.last, item.sequence);
    },
  });
  // The sequence is a key, so no two messages share one: fewer messages than the last sequence means gaps.
  for (const [place, { count, last }] of conversations)
    if (count !== last) findings.add(`${last - count} gaps`, place);
}

interface UserBooks {
  readonly userId: string;
  accepted: number;
  acknowledged: number;
  readonly waiting: Set<string>;
}

async function checkNotifications(
  { accepted, sightings, notifications }: ChatEvidence,
  findings: Findings,
): Promise<ReadonlyMap<string, UserBooks>> {
  const users = new Map<string, UserBooks>();
  const booksOf = (userId: string): UserBooks =>
    getOrAdd(users, userId, () => ({ userId, accepted: 0, acknowledged: 0, waiting: new Set() }));
  const expected = new Map<string, { readonly userId: string }>();
  for (const message of accepted.values()) {
    booksOf(message.to).accepted += 1;
    expected.set(notificationIdOf(message), { userId: message.to });
  }
  await matchItems(expected, notifications, findings, {
    state: 'acknowledged or waiting',
    idOf: notificationIdOf,
    placeOf: ({ userId }) => userId,
    isSame: (message, item) => message.userId === item.userId,
    each: (item) => {
      const { userId, acknowledgedAt } = item;
      const id = notificationIdOf(item);
      if (acknowledgedAt === undefined) {
        booksOf(userId).waiting.add(id);
        return;
      }
      booksOf(userId).acknowledged += 1;
      const { lastAt = 0, goneAt = Infinity } = sightings.get(id) ?? {};
      if (lastAt > Math.min(goneAt, Date.parse(acknowledgedAt)) + LATE_PUSH_MILLISECONDS)
        findings.add('acknowledged, and pushed again', userId, id);
    },
  });
  return users;
}

function checkLastHello(
  { lastHello }: ChatEvidence,
  users: ReadonlyMap<string, UserBooks>,
  findings: Findings,
): void {
  for (const [userId, pushed] of lastHello) {
    const waiting = users.get(userId)?.waiting ?? new Set();
    const got = new Set(pushed);
    for (const id of got)
      if (!waiting.has(id)) findings.add('acknowledged, and came back at a hello', userId, id);
    for (const id of waiting)
      if (!got.has(id)) findings.add('waiting, but not pushed at a hello', userId, id);
  }
}
