import { marshall } from '@aws-sdk/util-dynamodb';
import { conversationIdOf, messageIdOf } from '../../lambda/chat/domain/identifiers.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import { withChatUsers, type UserNamed } from '../harness/chat-users.ts';
import { withHost } from '../harness/running-host.ts';
import { withTables } from '../harness/tables.ts';

export interface Chat {
  readonly user: UserNamed;
  /** Writes messages past the app, as `itemOf` has them. */
  readonly fill: (
    table: string,
    messages: Iterable<Message>,
    itemOf: (message: Message) => Record<string, unknown>,
  ) => Promise<void>;
}

export async function withChat<T>(projectFolder: string, work: (chat: Chat) => Promise<T>): Promise<T> {
  return withHost(projectFolder, async (host) =>
    withTables(host, 8, async (tables) =>
      withChatUsers(host.outputs, async (user) =>
        work({
          user,
          fill: async (table, messages, itemOf) => {
            const items = function* () {
              for (const message of messages) yield marshall(itemOf(message));
            };
            await tables.fill(`Chat-${table}`, items());
          },
        }),
      ),
    ),
  );
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
