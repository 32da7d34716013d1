import {
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import type { Message, Notification } from '../domain/message.ts';
import { StoredMessage } from './messages.ts';

const keys = tables.notifications;

const WAITING_DAYS = 30;
/** Longer than a stream record (24 h) and a message on the queue (4 days) can be on their way, one after the other. */
const TOMBSTONE_DAYS = 5;

const StoredNotification = v.object({ ...StoredMessage.entries, notifiedAt: v.string() });
const StoredTombstone = v.object({
  conversationId: v.string(),
  sequence: v.number(),
  acknowledgedAt: v.string(),
});

/** A notification that waits, and when it was put there; or the tombstone of one that was acknowledged. */
export type QueueItem =
  | { readonly kind: 'waiting'; readonly notification: Notification; readonly notifiedAt: string }
  | { readonly kind: 'acknowledged'; readonly place: NotificationPlace };

/** Puts a message into its recipient's queue, unless it is there: waiting, or acknowledged. */
export async function putNotification(
  client: DynamoDBClient,
  table: string,
  message: Message,
  now: Date,
): Promise<'written' | 'exists'> {
  try {
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: marshall({
          ...message,
          ...keyOf(message.to, message),
          notifiedAt: now.toISOString(),
          [keys.timeToLive]: expiry(now, WAITING_DAYS),
        }),
        ConditionExpression: 'attribute_not_exists(#user)',
        ExpressionAttributeNames: { '#user': keys.partitionKey },
      }),
    );
    return 'written';
  } catch (error) {
    if (isConditionFailed(error)) return 'exists';
    throw error;
  }
}

/** True if one of the user's devices has acknowledged the notification. Read consistently. */
export async function isAcknowledged(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
): Promise<boolean> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: marshall(keyOf(userId, place)),
      ConsistentRead: true,
      ProjectionExpression: '#acknowledged',
      ExpressionAttributeNames: { '#acknowledged': 'acknowledgedAt' },
    }),
  );
  return item?.['acknowledgedAt'] !== undefined;
}

/**
 * Takes a notification from its user's queue. What stays is a tombstone: who delivers the message once more finds it,
 * and leaves it at that.
 */
export async function acknowledge(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
  now: Date,
): Promise<'acknowledged' | 'known' | 'unknown'> {
  try {
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: marshall(keyOf(userId, place)),
        UpdateExpression: 'SET #acknowledged = :now, #expires = :expires REMOVE #text',
        ConditionExpression: 'attribute_exists(#user) AND attribute_not_exists(#acknowledged)',
        ExpressionAttributeNames: {
          '#user': keys.partitionKey,
          '#acknowledged': 'acknowledgedAt',
          '#expires': keys.timeToLive,
          '#text': 'text',
        },
        ExpressionAttributeValues: marshall({
          ':now': now.toISOString(),
          ':expires': expiry(now, TOMBSTONE_DAYS),
        }),
      }),
    );
    return 'acknowledged';
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
    return (await isAcknowledged(client, table, userId, place)) ? 'known' : 'unknown';
  }
}

/**
 * Reads a user's queue in the order of (conversation, sequence), tombstones included, page by page, consistently.
 * What has expired is left out: DynamoDB takes days to delete it.
 */
export async function* queueOf(
  client: DynamoDBClient,
  table: string,
  userId: string,
  options: { readonly after?: NotificationPlace | undefined; readonly now: Date; readonly pageItems: number },
): AsyncGenerator<QueueItem, void, undefined> {
  const { after, now, pageItems } = options;
  let from = after === undefined ? undefined : conversationSequenceOf(after);
  while (true) {
    const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: from === undefined ? '#user = :user' : '#user = :user AND #place > :from',
        ExpressionAttributeNames: {
          '#user': keys.partitionKey,
          ...(from === undefined ? {} : { '#place': keys.sortKey }),
        },
        ExpressionAttributeValues: marshall({
          ':user': userId,
          ...(from === undefined ? {} : { ':from': from }),
        }),
        ConsistentRead: true,
        Limit: pageItems,
      }),
    );
    for (const item of items) {
      const stored = unmarshall(item);
      if (typeof stored[keys.timeToLive] === 'number' && stored[keys.timeToLive] * 1000 <= now.getTime())
        continue;
      yield queueItem(stored);
    }
    if (lastKey === undefined) return;
    from = String(unmarshall(lastKey)[keys.sortKey]);
  }
}

function queueItem(stored: Record<string, unknown>): QueueItem {
  if (stored['acknowledgedAt'] !== undefined) {
    const { conversationId, sequence } = parseWritten(StoredTombstone, stored);
    return { kind: 'acknowledged', place: { conversationId, sequence } };
  }
  const { notifiedAt, ...notification } = parseWritten(StoredNotification, stored);
  return { kind: 'waiting', notification, notifiedAt };
}

function keyOf(userId: string, place: NotificationPlace): Record<string, string> {
  return { [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) };
}

/** Seconds of the epoch, as a time to live is given. */
function expiry(now: Date, days: number): number {
  return Math.floor(now.getTime() / 1000) + days * 86_400;
}
