import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { isConditionFailed } from '../../shared/dynamodb.ts';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS, type Message, type Notification } from '../domain/message.ts';
import { acknowledgedAmong } from './acknowledgements.ts';
import { StoredMessage } from './messages.ts';
import { timeToLive } from './time-to-live.ts';

const keys = tables.notifications;

const StoredNotification = v.object({ ...StoredMessage.entries, notifiedAt: v.string() });

/** A notification, and when it was put into its user's queue. */
export interface WaitingItem {
  readonly notification: Notification;
  readonly notifiedAt: string;
}

/** Part of a user's queue. */
export interface WaitingPage {
  readonly items: readonly WaitingItem[];
  /** Up to where the queue was read; undefined at its end. */
  readonly readTo: NotificationPlace | undefined;
}

/** Puts a message into its recipient's queue, unless it is there. It waits until 30 days after it was sent. */
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
        Item: marshall(storedNotification(message, now)),
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

export function storedNotification(message: Message, now: Date): Record<string, unknown> {
  return {
    ...message,
    [keys.partitionKey]: message.to,
    [keys.sortKey]: conversationSequenceOf(message),
    notifiedAt: now.toISOString(),
    [keys.timeToLive]: timeToLive(new Date(message.sentAt), NOTIFICATION_DAYS),
  };
}

/** True if the notification is in the user's queue. Read consistently. */
export async function isQueued(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
): Promise<boolean> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: keyOf(userId, place),
      ConsistentRead: true,
      ProjectionExpression: '#user',
      ExpressionAttributeNames: { '#user': keys.partitionKey },
    }),
  );
  return item !== undefined;
}

/** Takes a notification out of the user's queue. */
export async function removeNotification(
  client: DynamoDBClient,
  table: string,
  userId: string,
  place: NotificationPlace,
): Promise<void> {
  await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(userId, place) }));
}

/**
 * Reads a part of what waits for a user in the order of (conversation, sequence), consistently. Left out is what has
 * expired, as DynamoDB takes days to delete it, and what is acknowledged and was not taken out: whoever was to do it
 * crashed, or put it there once more a moment ago.
 */
export async function waitingPage(
  client: DynamoDBClient,
  names: { readonly notifications: string; readonly acknowledgements: string },
  userId: string,
  options: { readonly after?: NotificationPlace | undefined; readonly now: Date; readonly pageItems: number },
): Promise<WaitingPage> {
  const { after, now, pageItems } = options;
  const { Items: items = [], LastEvaluatedKey: lastKey } = await client.send(
    new QueryCommand({
      TableName: names.notifications,
      KeyConditionExpression: after === undefined ? '#user = :user' : '#user = :user AND #place > :after',
      ExpressionAttributeNames: {
        '#user': keys.partitionKey,
        ...(after === undefined ? {} : { '#place': keys.sortKey }),
      },
      ExpressionAttributeValues: marshall({
        ':user': userId,
        ...(after === undefined ? {} : { ':after': conversationSequenceOf(after) }),
      }),
      ConsistentRead: true,
      Limit: pageItems,
    }),
  );
  const stored = items.map((item) => unmarshall(item));
  const live = stored
    .filter((item) => Number(item[keys.timeToLive]) * 1000 > now.getTime())
    .map((item) => parseWritten(StoredNotification, item));
  const acknowledged = await acknowledgedAmong(client, names.acknowledgements, userId, live);
  const last = stored.at(-1);
  return {
    items: live
      .filter((item) => !acknowledged.has(conversationSequenceOf(item)))
      .map(({ notifiedAt, ...notification }) => ({ notification, notifiedAt })),
    readTo: lastKey === undefined || last === undefined ? undefined : parseWritten(StoredPlace, last),
  };
}

const StoredPlace = v.object({ conversationId: v.string(), sequence: v.number() });

function keyOf(userId: string, place: NotificationPlace): Record<string, AttributeValue> {
  return marshall({ [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) });
}
