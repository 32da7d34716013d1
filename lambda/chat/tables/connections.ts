import {
  DeleteItemCommand,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';

const keys = tables.connections;

/** API Gateway ends every connection after 2 hours. */
const CONNECTION_SECONDS = 2 * 3600 + 600;

/** A user's device, by the connection that it has open. */
export interface Device {
  readonly userId: string;
  readonly connectionId: string;
}

const StoredConnection = v.object({ connectionId: v.string() });

/** Stores a connection as not yet live. One that is stored already stays as it is: a device may say hello again. */
export async function storeConnection(
  client: DynamoDBClient,
  table: string,
  device: Device,
  now: Date,
): Promise<void> {
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: marshall(keyOf(device)),
      UpdateExpression: 'SET #live = if_not_exists(#live, :no), #expires = if_not_exists(#expires, :expires)',
      ExpressionAttributeNames: { '#live': 'live', '#expires': keys.timeToLive },
      ExpressionAttributeValues: marshall({
        ':no': false,
        ':expires': Math.floor(now.getTime() / 1000) + CONNECTION_SECONDS,
      }),
    }),
  );
}

/** From here on the connection gets what arrives. It is not brought back if it is gone. */
export async function markLive(
  client: DynamoDBClient,
  table: string,
  device: Device,
): Promise<'live' | 'gone'> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(keyOf(device)),
        UpdateExpression: 'SET #live = :yes',
        ConditionExpression: 'attribute_exists(#user)',
        ExpressionAttributeNames: { '#live': 'live', '#user': keys.partitionKey },
        ExpressionAttributeValues: marshall({ ':yes': true }),
      }),
    );
    return 'live';
  } catch (error) {
    if (isConditionFailed(error)) return 'gone';
    throw error;
  }
}

/** True if the connection is stored as the user's. Read consistently. */
export async function isConnected(client: DynamoDBClient, table: string, device: Device): Promise<boolean> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: marshall(keyOf(device)), ConsistentRead: true }),
  );
  return item !== undefined;
}

export async function removeConnection(client: DynamoDBClient, table: string, device: Device): Promise<void> {
  await client.send(new DeleteItemCommand({ TableName: table, Key: marshall(keyOf(device)) }));
}

/** The connections of a user that get what arrives, read consistently. */
export async function liveConnections(
  client: DynamoDBClient,
  table: string,
  userId: string,
  now: Date,
): Promise<string[]> {
  const connectionIds: string[] = [];
  let startKey: Record<string, unknown> | undefined;
  do {
    const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#user = :user',
        FilterExpression: '#live = :yes AND #expires > :now',
        ExpressionAttributeNames: {
          '#user': keys.partitionKey,
          '#live': 'live',
          '#expires': keys.timeToLive,
        },
        ExpressionAttributeValues: marshall({
          ':user': userId,
          ':yes': true,
          ':now': Math.floor(now.getTime() / 1000),
        }),
        ConsistentRead: true,
        ...(startKey === undefined ? {} : { ExclusiveStartKey: marshall(startKey) }),
      }),
    );
    for (const item of items)
      connectionIds.push(parseWritten(StoredConnection, unmarshall(item)).connectionId);
    startKey = lastKey === undefined ? undefined : unmarshall(lastKey);
  } while (startKey !== undefined);
  return connectionIds;
}

function keyOf({ userId, connectionId }: Device): Record<string, string> {
  return { [keys.partitionKey]: userId, [keys.sortKey]: connectionId };
}
