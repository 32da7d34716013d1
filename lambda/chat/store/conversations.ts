import { QueryCommand, UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { wasWritten } from '../../shared/conditional-write.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';

const keys = tables.conversations;

/** A conversation as one of its two members has it. */
export interface MemberConversation {
  readonly conversationId: string;
  /** The other member. */
  readonly with: string;
  /** Up to where the member has read; 0 if nothing was. */
  readonly readSequence: number;
}

const StoredConversation = v.object({
  conversationId: v.string(),
  with: v.string(),
  sequence: v.optional(v.number(), 0),
});

/** Puts a conversation among those of a member. Once more changes nothing. */
export async function addConversation(
  client: DynamoDBClient,
  table: string,
  member: { readonly userId: string; readonly conversationId: string; readonly with: string },
): Promise<void> {
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: keyOf(member),
      UpdateExpression: 'SET #with = :with',
      ExpressionAttributeNames: { '#with': 'with' },
      ExpressionAttributeValues: marshall({ ':with': member.with }),
    }),
  );
}

/** At most `limit` conversations of a user, by id, behind one of them; read consistently. */
export async function conversationsOf(
  client: DynamoDBClient,
  table: string,
  userId: string,
  after: string | undefined,
  limit: number,
): Promise<MemberConversation[]> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: after === undefined ? '#user = :user' : '#user = :user AND #id > :after',
      ExpressionAttributeNames: {
        '#user': keys.partitionKey,
        ...(after === undefined ? {} : { '#id': keys.sortKey }),
      },
      ExpressionAttributeValues: marshall({
        ':user': userId,
        ...(after === undefined ? {} : { ':after': after }),
      }),
      ConsistentRead: true,
      Limit: limit,
    }),
  );
  return items.map((item) => {
    const { sequence, ...conversation } = parseWritten(StoredConversation, unmarshall(item));
    return { ...conversation, readSequence: sequence };
  });
}

/** Moves a user's read position forward, never back. @returns whether it moved */
export async function advanceReadPosition(
  client: DynamoDBClient,
  table: string,
  position: { readonly userId: string; readonly conversationId: string; readonly sequence: number },
  now: Date,
): Promise<boolean> {
  return wasWritten(
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: keyOf(position),
        UpdateExpression: 'SET #sequence = :sequence, #readAt = :now',
        ConditionExpression: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
        ExpressionAttributeNames: { '#sequence': 'sequence', '#readAt': 'readAt' },
        ExpressionAttributeValues: marshall({ ':sequence': position.sequence, ':now': now.toISOString() }),
      }),
    ),
  );
}

function keyOf({ userId, conversationId }: { readonly userId: string; readonly conversationId: string }) {
  return marshall({ [keys.partitionKey]: userId, [keys.sortKey]: conversationId });
}
