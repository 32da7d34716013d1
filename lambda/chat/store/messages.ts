import { ItemCollectionSizeLimitExceededException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { forEachConcurrently } from '../../shared/concurrency.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import type { Message } from '../domain/message.ts';
import { partitionQuery } from './partition.ts';

const keys = tables.messages;

export const StoredMessage = v.object({
  conversationId: v.string(),
  sequence: v.number(),
  messageId: v.string(),
  from: v.string(),
  to: v.string(),
  text: v.string(),
  sentAt: v.string(),
  requestId: v.exactOptional(v.string()),
});

const StoredKey = v.object({ sequence: v.number() });

const READS_AT_ONCE = 25;

export type MessagesTable = ReturnType<typeof messagesTable>;

/** By conversation and sequence. All reads are consistent. */
export function messagesTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.messagesTable),
) {
  const table = itemTable(client, name);

  const get = async (conversationId: string, sequence: number): Promise<Message | undefined> =>
    table.get({ [keys.partitionKey]: conversationId, [keys.sortKey]: sequence }, StoredMessage);

  const last = async (conversationId: string): Promise<Message | undefined> =>
    table.getLast(partitionQuery(keys, conversationId, 1), StoredMessage);

  return {
    get,

    /** Undefined if the conversation has not begun. */
    last,

    async lastSequences(conversationIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
      const found = new Map<string, number>();
      await forEachConcurrently(conversationIds, READS_AT_ONCE, async (conversationId) => {
        const message = await last(conversationId);
        if (message !== undefined) found.set(conversationId, message.sequence);
      });
      return found;
    },

    async find(conversationId: string, messageId: string): Promise<Message | undefined> {
      const { name: IndexName, ...sortKey } = keys.byMessageId;
      const found = await table.getLast(
        {
          IndexName,
          KeyConditionExpression: '#conversation = :conversation AND #message = :message',
          ExpressionAttributeNames: { '#conversation': keys.partitionKey, '#message': sortKey.sortKey },
          values: { ':conversation': conversationId, ':message': messageId },
        },
        StoredKey,
      );
      return found && get(conversationId, found.sequence);
    },

    /** `full`: 10 GB, all that DynamoDB allows a partition key of a table with a local secondary index. */
    async put(message: Message): Promise<'written' | 'taken' | 'full'> {
      const write = { ConditionExpression: `attribute_not_exists(${keys.partitionKey})` };
      try {
        return (await table.put({ ...message }, write)) ? 'written' : 'taken';
      } catch (error) {
        if (error instanceof ItemCollectionSizeLimitExceededException) return 'full';
        throw error;
      }
    },

    async behind(conversationId: string, after: number, limit: number): Promise<Message[]> {
      const messages: Message[] = [];
      // A page ends at 1 MB: the longest messages fill it before the limit does.
      for (let isLast = false; !isLast && messages.length < limit;) {
        const from = messages.at(-1)?.sequence ?? after;
        const query = partitionQuery(keys, conversationId, limit - messages.length, from);
        const page = await table.page(query, StoredMessage);
        messages.push(...page.items);
        ({ isLast } = page);
      }
      return messages;
    },
  };
}
