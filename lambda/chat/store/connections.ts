import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { deviceLimit, tables } from '../contract.ts';

const keys = tables.connections;

/** API Gateway ends every connection after 2 hours. */
const CONNECTION_SECONDS = 2 * 3600 + 600;

/** A user's device, by the connection that it has open. */
export interface Device {
  readonly userId: string;
  readonly connectionId: string;
}

/** A drain that is not heard of for so long is lost, or waits behind many others: a hello may ask for another. */
const DRAINING_MILLISECONDS = 30_000;
/** A device that is caught up gets what arrives: it need not ask again that soon. */
const CAUGHT_UP_MILLISECONDS = 10_000;

const StoredConnection = v.object({ connectionId: v.string(), expiresAt: v.number() });

/**
 * Stores a connection, which is live from then on, and notes that it is to be drained; unless it is being drained, or
 * was a moment ago.
 */
export async function requestDrain(
  client: DynamoDBClient,
  table: string,
  device: Device,
  now: Date,
): Promise<'requested' | 'draining' | 'caught-up'> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(keyOf(device)),
        UpdateExpression: 'SET #expires = if_not_exists(#expires, :expires), #state = :state, #next = :next',
        ConditionExpression: 'attribute_not_exists(#next) OR #next <= :now',
        ExpressionAttributeNames: { '#expires': keys.timeToLive, '#state': 'state', '#next': 'nextDrainAt' },
        ExpressionAttributeValues: marshall({
          ':expires': Math.floor(now.getTime() / 1000) + CONNECTION_SECONDS,
          ':state': 'draining',
          ':next': now.getTime() + DRAINING_MILLISECONDS,
          ':now': now.getTime(),
        }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return 'requested';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return error.Item?.['state']?.S === 'caught-up' ? 'caught-up' : 'draining';
  }
}

/** Notes how far a drain is. A connection that is gone is not brought back. */
export async function noteDrain(
  client: DynamoDBClient,
  table: string,
  device: Device,
  state: 'draining' | 'caught-up',
  now: Date,
): Promise<'noted' | 'gone'> {
  const pause = state === 'draining' ? DRAINING_MILLISECONDS : CAUGHT_UP_MILLISECONDS;
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(keyOf(device)),
        UpdateExpression: 'SET #state = :state, #next = :next',
        ConditionExpression: 'attribute_exists(#user)',
        ExpressionAttributeNames: { '#state': 'state', '#next': 'nextDrainAt', '#user': keys.partitionKey },
        ExpressionAttributeValues: marshall({ ':state': state, ':next': now.getTime() + pause }),
      }),
    );
    return 'noted';
  } catch (error) {
    if (isConditionFailed(error)) return 'gone';
    throw error;
  }
}

export async function removeConnection(client: DynamoDBClient, table: string, device: Device): Promise<void> {
  await client.send(new DeleteItemCommand({ TableName: table, Key: marshall(keyOf(device)) }));
}

/**
 * The connections of a user that get what arrives, the newest first, read consistently: all, up to twice as many as a
 * user may have.
 */
export async function liveConnections(
  client: DynamoDBClient,
  table: string,
  userId: string,
  now: Date,
): Promise<string[]> {
  const found: v.InferOutput<typeof StoredConnection>[] = [];
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: '#user = :user',
        FilterExpression: '#expires > :now',
        ExpressionAttributeNames: { '#user': keys.partitionKey, '#expires': keys.timeToLive },
        ExpressionAttributeValues: marshall({ ':user': userId, ':now': Math.floor(now.getTime() / 1000) }),
        ConsistentRead: true,
        ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
      }),
    );
    for (const item of items) found.push(parseWritten(StoredConnection, unmarshall(item)));
    startKey = lastKey;
  } while (startKey !== undefined && found.length < 2 * deviceLimit);
  return found
    .toSorted((one, other) => other.expiresAt - one.expiresAt)
    .map(({ connectionId }) => connectionId);
}

function keyOf({ userId, connectionId }: Device): Record<string, string> {
  return { [keys.partitionKey]: userId, [keys.sortKey]: connectionId };
}
