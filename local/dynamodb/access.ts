import type { AwsCall, NeededAccess, Place } from '../endpoint/index.ts';
import { isJsonList, isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';

/** Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB". */
export function dynamoDbAccess({ action, request }: AwsCall, place: Place): readonly NeededAccess[] {
  const needed = (resourceArn: string, as = action): NeededAccess => ({
    action: `dynamodb:${as}`,
    resourceArn,
  });
  switch (action) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(objectAt(request, 'RequestItems')).map((table) => needed(tableArn(table, place)));
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return transactionItems(request).map(([as, item]) =>
        needed(tableArn(textAt(item, 'TableName'), place), as),
      );
    case 'DescribeStream':
    case 'GetShardIterator':
      return [needed(textAt(request, 'StreamArn') ?? '*')];
    case 'GetRecords':
      // The host's iterators begin with their stream.
      return [needed((textAt(request, 'ShardIterator') ?? '*').replace(/#.*$/, ''))];
    case 'ListStreams':
    case 'ListTables':
    case 'DescribeLimits':
    case 'DescribeEndpoints':
      return [needed('*')];
    default: {
      const indexName = action === 'Query' || action === 'Scan' ? textAt(request, 'IndexName') : undefined;
      const table = tableArn(textAt(request, 'TableName'), place);
      return [needed(indexName === undefined ? table : `${table}/index/${indexName}`)];
    }
  }
}

/** The parts of a transaction are allowed or refused as the single calls would be. */
const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  ConditionCheck: 'ConditionCheckItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
};

function transactionItems(request: JsonObject): readonly (readonly [action: string, item: JsonObject])[] {
  const items = isJsonList(request['TransactItems']) ? request['TransactItems'].filter(isJsonObject) : [];
  return items.flatMap((item) =>
    Object.keys(item).map((kind) => [TRANSACTION_ACTIONS[kind] ?? kind, objectAt(item, kind)] as const),
  );
}

function tableArn(table: string | undefined, { accountId, region }: Place): string {
  if (table === undefined) return '*';
  return table.startsWith('arn:') ? table : `arn:aws:dynamodb:${region}:${accountId}:table/${table}`;
}
