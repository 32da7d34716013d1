import type { Query } from '../../shared/item-table.ts';

export function partitionQuery(
  keys: { readonly partitionKey: string; readonly sortKey: string },
  partition: string,
  limit: number,
  after?: string | number,
): Query {
  const isWhole = after === undefined;
  return {
    KeyConditionExpression: isWhole
      ? '#partition = :partition'
      : '#partition = :partition AND #sort > :after',
    ExpressionAttributeNames: {
      '#partition': keys.partitionKey,
      ...(isWhole ? {} : { '#sort': keys.sortKey }),
    },
    values: { ':partition': partition, ...(isWhole ? {} : { ':after': after }) },
    Limit: limit,
  };
}
