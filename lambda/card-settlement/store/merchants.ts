import { PutItemCommand, QueryCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { FIRST_EFFECTIVE_DATE, MerchantProfile, sameProfile } from '../domain/merchant.ts';

const keys = tables.merchants;

const StoredProfile = v.object({ ...MerchantProfile.entries, effectiveFrom: v.string() });

/** The profile in force on a date: the latest that took effect by then. */
export async function profileOn(
  client: DynamoDBClient,
  table: string,
  merchantId: string,
  businessDate: BusinessDate,
): Promise<(MerchantProfile & { readonly effectiveFrom: string }) | undefined> {
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#id = :id AND #from <= :date',
      ExpressionAttributeNames: { '#id': keys.partitionKey, '#from': keys.sortKey },
      ExpressionAttributeValues: marshall({ ':id': merchantId, ':date': businessDate }),
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  const [item] = items;
  return item === undefined ? undefined : parseWritten(StoredProfile, unmarshall(item));
}

/**
 * Records a profile: a merchant's first one applies to every date, a change from `changesFrom` on. Recording what
 * stands already writes nothing.
 */
export async function recordProfile(
  client: DynamoDBClient,
  table: string,
  merchantId: string,
  profile: MerchantProfile,
  changesFrom: BusinessDate,
): Promise<void> {
  const standing = await profileOn(client, table, merchantId, changesFrom);
  if (standing !== undefined && sameProfile(standing, profile)) return;
  if (standing !== undefined) return put(client, table, merchantId, profile, changesFrom, false);
  try {
    await put(client, table, merchantId, profile, FIRST_EFFECTIVE_DATE, true);
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    // Somebody else's first profile came between; this one is a change, then.
    await put(client, table, merchantId, profile, changesFrom, false);
  }
}

async function put(
  client: DynamoDBClient,
  table: string,
  merchantId: string,
  profile: MerchantProfile,
  effectiveFrom: string,
  first: boolean,
): Promise<void> {
  await client.send(
    new PutItemCommand({
      TableName: table,
      Item: marshall({ ...profile, [keys.partitionKey]: merchantId, [keys.sortKey]: effectiveFrom }),
      ...(first ? { ConditionExpression: `attribute_not_exists(${keys.partitionKey})` } : {}),
    }),
  );
}
