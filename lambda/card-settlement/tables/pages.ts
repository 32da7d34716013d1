import { QueryCommand, type DynamoDBClient, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/**
 * The pages of a query, each asked for while the one before is being read, so that at most two are in memory.
 * Reads on demand: who stops reading stops the query.
 */
export async function* queryPages<T>(
  client: DynamoDBClient,
  input: QueryCommandInput,
  parse: (item: unknown) => T,
): AsyncGenerator<readonly T[], void, undefined> {
  let pending = client.send(new QueryCommand(input));
  while (true) {
    const { Items: items = [], LastEvaluatedKey: lastKey } = await pending;
    if (lastKey !== undefined) {
      pending = client.send(new QueryCommand({ ...input, ExclusiveStartKey: lastKey }));
      // Awaited when the next page is wanted; until then a failure is nobody's, and must not end the process.
      pending.catch(() => undefined);
    }
    yield items.map((item) => parse(unmarshall(item)));
    if (lastKey === undefined) return;
  }
}
