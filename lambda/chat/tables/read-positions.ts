import { UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { tables } from '../contract.ts';

const keys = tables.readPositions;

/** Moves a user's read position forward, never back. @returns whether it moved */
export async function advanceReadPosition(
  client: DynamoDBClient,
  table: string,
  position: { readonly userId: string; readonly conversationId: string; readonly sequence: number },
  now: Date,
): Promise<boolean> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall({
          [keys.partitionKey]: position.userId,
          [keys.sortKey]: position.conversationId,
        }),
        UpdateExpression: 'SET #sequence = :sequence, #readAt = :now',
        ConditionExpression: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
        ExpressionAttributeNames: { '#sequence': 'sequence', '#readAt': 'readAt' },
        ExpressionAttributeValues: marshall({ ':sequence': position.sequence, ':now': now.toISOString() }),
      }),
    );
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}
