import {
  GetItemCommand,
  ItemCollectionSizeLimitExceededException,
  PutItemCommand,
  QueryCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { forEachConcurrently } from '../../shared/concurrency.ts';
import { wasWritten } from '../../shared/conditional-write.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { Message } from '../domain/message.ts';
import { readPartition } from './partition.ts';

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

/** The messages, by conversation and sequence. All reads are consistent. */
export function messagesTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.messagesTable),
) {
  async function get(conversationId: string, sequence: number): Promise<Message | undefined> {
    const { Item: item } = await client.send(
      new GetItemCommand({
        TableName: name,
        Key: marshall({ [keys.partitionKey]: conversationId, [keys.sortKey]: sequence }),
        ConsistentRead: true,
      }),
    );
    return item && parseWritten(StoredMessage, unmarshall(item));
  }

  /** The last message of a conversation; undefined if the conversation has not begun. */
  async function last(conversationId: string): Promise<Message | undefined> {
    const { items } = await readPartition(client, name, keys, conversationId, {
      limit: 1,
      newestFirst: true,
    });
    return items[0] && parseWritten(StoredMessage, items[0]);
  }

  /** The last sequence of each of these conversations that has begun, by conversation. */
  async function lastSequences(conversationIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    await forEachConcurrently(conversationIds, READS_AT_ONCE, async (conversationId) => {
      const message = await last(conversationId);
      if (message !== undefined) found.set(conversationId, message.sequence);
    });
    return found;
  }

  async function find(conversationId: string, messageId: string): Promise<Message | undefined> {
    const { Items: items = [] } = await client.send(
      new QueryCommand({
        TableName: name,
        IndexName: keys.byMessageId.name,
        KeyConditionExpression: '#conversation = :conversation AND #message = :message',
        ExpressionAttributeNames: {
          '#conversation': keys.partitionKey,
          '#message': keys.byMessageId.sortKey,
        },
        ExpressionAttributeValues: marshall({ ':conversation': conversationId, ':message': messageId }),
        ConsistentRead: true,
      }),
    );
    const [item] = items;
    return item && get(conversationId, parseWritten(StoredKey, unmarshall(item)).sequence);
  }

  /**
   * Writes a message unless its place is taken. `full`: the conversation has the 10 GB that DynamoDB allows the items of
   * one partition key in a table with a local secondary index.
   */
  async function put(message: Message): Promise<'written' | 'taken' | 'full'> {
    const write = client.send(
      new PutItemCommand({
        TableName: name,
        Item: marshall(message),
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      }),
    );
    try {
      return (await wasWritten(write)) ? 'written' : 'taken';
    } catch (error) {
      if (error instanceof ItemCollectionSizeLimitExceededException) return 'full';
      throw error;
    }
  }

  /** At most `limit` messages of a conversation behind a sequence, in order. */
  async function behind(conversationId: string, after: number, limit: number): Promise<Message[]> {
    const messages: Message[] = [];
    // A page ends at 1 MB: the longest messages fill it before the limit does.
    for (let isLast = false; !isLast && messages.length < limit;) {
      const page = await readPartition(client, name, keys, conversationId, {
        after: messages.at(-1)?.sequence ?? after,
        limit: limit - messages.length,
      });
      messages.push(...page.items.map((item) => parseWritten(StoredMessage, item)));
      ({ isLast } = page);
    }
    return messages;
  }

  return { get, last, lastSequences, find, put, behind };
}
