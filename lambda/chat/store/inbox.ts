import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { wasWritten } from '../../shared/conditional-write.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS, type Message, type Notification } from '../domain/message.ts';
import { acknowledgementsTable } from './acknowledgements.ts';
import { StoredMessage } from './messages.ts';
import { readPartition } from './partition.ts';
import { timeToLive } from './time-to-live.ts';

const keys = tables.inbox;

const StoredNotification = v.object({ ...StoredMessage.entries, notifiedAt: v.string() });

/** A notification, and when it was put into the inbox. */
export interface WaitingItem {
  readonly notification: Notification;
  readonly notifiedAt: string;
}

/** Part of a user's inbox. */
export interface InboxPage {
  readonly items: readonly WaitingItem[];
  /** Up to where the inbox was read; undefined at its end. */
  readonly readTo: NotificationPlace | undefined;
}

export type InboxTable = ReturnType<typeof inboxTable>;

/** What waits for each user, by conversation and sequence. All reads are consistent. */
export function inboxTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.notificationsTable),
  acknowledgements = acknowledgementsTable(client),
) {
  return {
    /** Puts a message into its recipient's inbox, where it waits until 30 days after it was sent. */
    async put(message: Message, now: Date): Promise<'written' | 'exists'> {
      const write = client.send(
        new PutItemCommand({
          TableName: name,
          Item: marshall(storedNotification(message, now)),
          ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
        }),
      );
      return (await wasWritten(write)) ? 'written' : 'exists';
    },

    async has(userId: string, place: NotificationPlace): Promise<boolean> {
      const { Item: item } = await client.send(
        new GetItemCommand({
          TableName: name,
          Key: keyOf(userId, place),
          ConsistentRead: true,
          ProjectionExpression: keys.partitionKey,
        }),
      );
      return item !== undefined;
    },

    async remove(userId: string, place: NotificationPlace): Promise<void> {
      await client.send(new DeleteItemCommand({ TableName: name, Key: keyOf(userId, place) }));
    },

    /**
     * Reads the next `limit` items behind a place. Two kinds are left out: what has expired, because DynamoDB takes days
     * to delete it; and what is acknowledged but still there, because a worker crashed or delivered it once more.
     */
    async page(
      userId: string,
      after: NotificationPlace | undefined,
      limit: number,
      now: Date,
    ): Promise<InboxPage> {
      const { items: stored, isLast } = await readPartition(client, name, keys, userId, {
        after: after && conversationSequenceOf(after),
        limit,
      });
      const live = stored
        .filter((item) => Number(item[keys.timeToLive]) * 1000 > now.getTime())
        .map((item) => parseWritten(StoredNotification, item));
      const acknowledged = await acknowledgements.among(userId, live);
      const last = stored.at(-1);
      return {
        items: live
          .filter((item) => !acknowledged.has(conversationSequenceOf(item)))
          .map(({ notifiedAt, ...notification }) => ({ notification, notifiedAt })),
        readTo: isLast || last === undefined ? undefined : parseWritten(StoredPlace, last),
      };
    },
  };
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

const StoredPlace = v.object({ conversationId: v.string(), sequence: v.number() });

function keyOf(userId: string, place: NotificationPlace): Record<string, AttributeValue> {
  return marshall({ [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) });
}
