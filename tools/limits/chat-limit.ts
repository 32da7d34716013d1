import { marshall } from '@aws-sdk/util-dynamodb';
import { conversationIdOf, messageIdOf } from '../../lambda/chat/domain/identifiers.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import { withChatUsers, type ChatUser, type UserNamed } from '../harness/chat-users.ts';
import { withHost } from '../harness/running-host.ts';
import { withTables } from '../harness/tables.ts';

export interface Chat {
  readonly user: UserNamed;
  /** Writes items past the app. */
  readonly fill: (table: string, items: Iterable<Record<string, unknown>>) => Promise<void>;
}

export async function withChat<T>(projectFolder: string, work: (chat: Chat) => Promise<T>): Promise<T> {
  return withHost(projectFolder, async (host) =>
    withTables(host, 8, async (tables) =>
      withChatUsers(host.outputs, async (user) =>
        work({
          user,
          fill: async (table, items) =>
            tables.fill(
              `Chat-${table}`,
              mapped(items, (item) => marshall(item)),
            ),
        }),
      ),
    ),
  );
}

export function* mapped<From, To>(items: Iterable<From>, change: (item: From) => To): Generator<To> {
  for (const item of items) yield change(item);
}

export function* messagesTo(to: string, senders: number, ofEach: number, from = 1): Generator<Message> {
  const sentAt = new Date().toISOString();
  for (let number = 0; number < senders; number += 1) {
    const sender = `sender-${number}`;
    const conversationId = conversationIdOf(sender, to);
    for (let sequence = from; sequence < from + ofEach; sequence += 1) {
      const messageId = messageIdOf(sender, to, String(sequence));
      yield { conversationId, sequence, messageId, from: sender, to, text: `message ${sequence}`, sentAt };
    }
  }
}

export async function drained(
  user: ChatUser,
  patienceSeconds = 60,
): Promise<{ readonly notificationIds: readonly string[]; readonly seconds: number }> {
  const notificationIds: string[] = [];
  const { device, seconds } = await user.greet({
    patienceSeconds,
    onNotification: ({ notificationId }) => void notificationIds.push(notificationId),
  });
  device.close();
  return { notificationIds, seconds };
}
