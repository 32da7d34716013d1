import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';

const keys = tables.rateLimits;

export interface RateLimit {
  readonly messages: number;
  readonly windowSeconds: number;
}

export type RateLimitsTable = ReturnType<typeof rateLimitsTable>;

export function rateLimitsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.rateLimitsTable),
) {
  const table = itemTable(client, name);
  return {
    /** @returns undefined if the message was counted, else the seconds until the next window */
    async take(
      userId: string,
      { messages, windowSeconds }: RateLimit,
      now: Date,
    ): Promise<number | undefined> {
      const second = Math.floor(now.getTime() / 1000);
      const windowStart = second - (second % windowSeconds);
      const key = { [keys.partitionKey]: userId, [keys.sortKey]: windowStart };
      const counted = await table.update(key, {
        UpdateExpression: 'SET expiresAt = :expires ADD #count :one',
        ConditionExpression: 'attribute_not_exists(#count) OR #count < :most',
        ExpressionAttributeNames: { '#count': 'count' },
        values: { ':one': 1, ':most': messages, ':expires': windowStart + windowSeconds + 3600 },
      });
      return counted === undefined ? windowStart + windowSeconds - second : undefined;
    },
  };
}
