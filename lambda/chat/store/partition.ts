import { QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';

/** A part of the items that share a partition key. */
export interface PartitionPage {
  readonly items: readonly Record<string, unknown>[];
  /** True if no items follow these. */
  readonly isLast: boolean;
}

/** Reads at most `limit` items of a partition, in the order of their sort keys, consistently. */
export async function readPartition(
  client: DynamoDBClient,
  table: string,
  keys: { readonly partitionKey: string; readonly sortKey: string },
  partition: string,
  options: {
    readonly limit: number;
    /** The sort key behind which to begin. @default the first item, or the last one if `newestFirst` */
    readonly after?: string | number | undefined;
    /** @default false */
    readonly newestFirst?: boolean;
  },
): Promise<PartitionPage> {
  const { after, limit, newestFirst = false } = options;
  const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression:
        after === undefined ? '#partition = :partition' : '#partition = :partition AND #sort > :after',
      ExpressionAttributeNames: {
        '#partition': keys.partitionKey,
        ...(after === undefined ? {} : { '#sort': keys.sortKey }),
      },
      ExpressionAttributeValues: marshall({
        ':partition': partition,
        ...(after === undefined ? {} : { ':after': after }),
      }),
      ConsistentRead: true,
      ScanIndexForward: !newestFirst,
      Limit: limit,
    }),
  );
  return { items: items.map((item) => unmarshall(item)), isLast: lastKey === undefined };
}
