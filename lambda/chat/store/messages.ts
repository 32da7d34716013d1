import {
  GetItemCommand,
  ItemCollectionSizeLimitExceededException,
  PutItemCommand,
  QueryCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { Message } from '../domain/message.ts';

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

/** The last message of a conversation, read consistently; undefined if the conversation has not begun. */
export async function lastMessage(
  client: DynamoDBClient,
  table: string,
  conversationId: string,
): Promise<Message | undefined> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#conversation = :conversation',
      ExpressionAttributeNames: { '#conversation': keys.partitionKey },
      ExpressionAttributeValues: marshall({ ':conversation': conversationId }),
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const [item] = items;
  return item === undefined ? undefined : parseWritten(StoredMessage, unmarshall(item));
}

/** The sequence of the message of an id in a conversation, read consistently. */
export async function sequenceOfMessage(
  client: DynamoDBClient,
  table: string,
  conversationId: string,
  messageId: string,
): Promise<number | undefined> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
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
  return item === undefined ? undefined : parseWritten(StoredKey, unmarshall(item)).sequence;
}

/** Reads one message, consistently. */
export async function getMessage(
  client: DynamoDBClient,
  table: string,
  conversationId: string,
  sequence: number,
): Promise<Message | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: marshall({ [keys.partitionKey]: conversationId, [keys.sortKey]: sequence }),
      ConsistentRead: true,
    }),
  );
  return item === undefined ? undefined : parseWritten(StoredMessage, unmarshall(item));
}

/**
 * Writes a message unless its place is taken: of two that want it, one gets it. `full`: the conversation has the 10 GB
 * that DynamoDB allows the items of one partition key in a table with a local secondary index.
 */
export async function putMessage(
  client: DynamoDBClient,
  table: string,
  message: Message,
): Promise<'written' | 'taken' | 'full'> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: marshall(message),
        ConditionExpression: 'attribute_not_exists(#conversation)',
        ExpressionAttributeNames: { '#conversation': keys.partitionKey },
      }),
    );
    return 'written';
  } catch (error) {
    if (isConditionFailed(error)) return 'taken';
    if (error instanceof ItemCollectionSizeLimitExceededException) return 'full';
    throw error;
  }
}

/** At most `limit` messages of a conversation behind a sequence, in order, read consistently. */
export async function messagesAfter(
  client: DynamoDBClient,
  table: string,
  conversationId: string,
  after: number,
  limit: number,
): Promise<Message[]> {
  const messages: Message[] = [];
  let from = after;
  // A page ends at 1 MB: the longest messages fill it before the limit does.
  while (messages.length < limit) {
    const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#conversation = :conversation AND #sequence > :after',
        ExpressionAttributeNames: { '#conversation': keys.partitionKey, '#sequence': keys.sortKey },
        ExpressionAttributeValues: marshall({ ':conversation': conversationId, ':after': from }),
        ConsistentRead: true,
        Limit: limit - messages.length,
      }),
    );
    for (const item of items) messages.push(parseWritten(StoredMessage, unmarshall(item)));
    if (lastKey === undefined) break;
    from = messages.at(-1)?.sequence ?? from;
  }
  return messages;
}
