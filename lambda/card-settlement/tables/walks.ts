import { GetItemCommand, UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { InterruptedSends } from '../domain/business-day.ts';

/** How far the walk of a date has come lies beside its day's record, which intake and lists read often. */
const SCOPE = 'walk';
const keys = tables.businessDays;

const StoredSends = v.object({ startedAt: v.string(), all: v.boolean(), through: v.string() });

/** Notes how far a run has sent. Only who has the day's lease does: no condition is needed. */
export async function noteSends(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  sends: InterruptedSends,
): Promise<void> {
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: keyOf(businessDate),
      UpdateExpression: 'SET sends = :sends',
      ExpressionAttributeValues: marshall({ ':sends': sends }),
    }),
  );
}

/** How far the last run had sent that noted it, be it concluded or not. */
export async function notedSends(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Promise<InterruptedSends | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: keyOf(businessDate), ConsistentRead: true }),
  );
  if (item === undefined) return undefined;
  return parseWritten(v.object({ sends: v.exactOptional(StoredSends) }), unmarshall(item)).sends;
}

function keyOf(businessDate: BusinessDate) {
  return marshall({ [keys.partitionKey]: SCOPE, [keys.sortKey]: businessDate });
}
