import { UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { tables } from '../contract.ts';

const keys = tables.rateLimits;

/** How much a sender may post. */
export interface RateLimit {
  readonly messages: number;
  readonly windowSeconds: number;
}

/**
 * Counts one message of a sender, unless its window is full: one conditional update.
 *
 * @returns undefined if it was counted, else the seconds until the next window
 */
export async function takeFromLimit(
  client: DynamoDBClient,
  table: string,
  userId: string,
  { messages, windowSeconds }: RateLimit,
  now: Date,
): Promise<number | undefined> {
  const second = Math.floor(now.getTime() / 1000);
  const windowStart = second - (second % windowSeconds);
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall({ [keys.partitionKey]: userId, [keys.sortKey]: windowStart }),
        UpdateExpression: 'SET #expires = :expires ADD #count :one',
        ConditionExpression: 'attribute_not_exists(#count) OR #count < :most',
        ExpressionAttributeNames: { '#expires': keys.timeToLive, '#count': 'count' },
        ExpressionAttributeValues: marshall({
          ':one': 1,
          ':most': messages,
          ':expires': windowStart + windowSeconds + 3600,
        }),
      }),
    );
    return undefined;
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    return windowStart + windowSeconds - second;
  }
}
