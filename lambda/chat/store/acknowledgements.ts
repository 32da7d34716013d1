import {
  BatchGetItemCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type BatchGetItemCommandOutput,
  type DynamoDBClient,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS } from '../domain/message.ts';
import { timeToLive } from './time-to-live.ts';

/**
 * The tombstone of a notification that one of the user's devices has acknowledged. Tombstones have a table of their own, so
 * that reading what waits does not read them.
 */

const keys = tables.acknowledgements;

/** No notification of a message lives longer than this after it was sent, and it was acknowledged later than that. */
const TOMBSTONE_DAYS = NOTIFICATION_DAYS + 1;

/** Most keys that one BatchGetItem takes. */
const BATCH_KEYS = 100;

/** Puts the tombstone. From this write on, the notification is acknowledged for good. */
export async function putTombstone(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
  now: Date,
): Promise<void> {
  await client.send(new PutItemCommand({ TableName: table, Item: marshall(tombstone(userId, place, now)) }));
}

export function tombstone(userId: string, place: NotificationPlace, now: Date): Record<string, unknown> {
  const { conversationId, sequence } = place;
  return {
    [keys.partitionKey]: userId,
    [keys.sortKey]: conversationSequenceOf(place),
    conversationId,
    sequence,
    acknowledgedAt: now.toISOString(),
    [keys.timeToLive]: timeToLive(now, TOMBSTONE_DAYS),
  };
}

/** True if one of the user's devices has acknowledged the notification. Read consistently. */
export async function isAcknowledged(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
): Promise<boolean> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: keyOf(userId, place), ConsistentRead: true }),
  );
  return item !== undefined;
}

/** Of a user's notifications those that are acknowledged, by `conversationSequenceOf`. Read consistently. */
export async function acknowledgedAmong(
  client: DynamoDBClient,
  table: string,
  userId: string,
  places: readonly NotificationPlace[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let from = 0; from < places.length; from += BATCH_KEYS) {
    let wanted: KeysAndAttributes | undefined = {
      Keys: places.slice(from, from + BATCH_KEYS).map((place) => keyOf(userId, place)),
      ConsistentRead: true,
      ProjectionExpression: '#place',
      ExpressionAttributeNames: { '#place': keys.sortKey },
    };
    // DynamoDB may leave keys to the next request.
    while (wanted !== undefined) {
      const answer: BatchGetItemCommandOutput = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: wanted } }),
      );
      for (const item of answer.Responses?.[table] ?? []) found.add(String(unmarshall(item)[keys.sortKey]));
      wanted = answer.UnprocessedKeys?.[table];
    }
  }
  return found;
}

function keyOf(userId: string, place: NotificationPlace): Record<string, AttributeValue> {
  return marshall({ [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) });
}
