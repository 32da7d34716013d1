import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, type Item } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS, type Message, type Notification } from '../domain/message.ts';
import { acknowledgementsTable } from './acknowledgements.ts';
import { StoredMessage } from './messages.ts';
import { partitionQuery } from './partition.ts';
import { timeToLive } from './time-to-live.ts';

const keys = tables.inbox;

const StoredNotification = v.object({
  ...StoredMessage.entries,
  notifiedAt: v.string(),
  [keys.timeToLive]: v.number(),
});

export interface WaitingItem {
  readonly notification: Notification;
  readonly notifiedAt: string;
}

export interface InboxPage {
  readonly items: readonly WaitingItem[];
  /** Up to here the inbox was read; undefined at its end. */
  readonly readTo: NotificationPlace | undefined;
}

export type InboxTable = ReturnType<typeof inboxTable>;

/** By conversation and sequence. All reads are consistent. */
export function inboxTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.notificationsTable),
  acknowledgements = acknowledgementsTable(client),
) {
  const table = itemTable(client, name);
  return {
    async put(message: Message, now: Date): Promise<'written' | 'exists'> {
      const write = { ConditionExpression: `attribute_not_exists(${keys.partitionKey})` };
      return (await table.put(storedNotification(message, now), write)) ? 'written' : 'exists';
    },

    async has(userId: string, place: NotificationPlace): Promise<boolean> {
      return (await table.get(keyOf(userId, place), v.object({}))) !== undefined;
    },

    async remove(userId: string, place: NotificationPlace): Promise<void> {
      await table.delete(keyOf(userId, place));
    },

    /**
     * Leaves out what has expired, because DynamoDB takes days to delete it, and what is acknowledged but still there,
     * because a worker crashed or delivered it once more.
     */
    async page(
      userId: string,
      after: NotificationPlace | undefined,
      limit: number,
      now: Date,
    ): Promise<InboxPage> {
      const query = partitionQuery(keys, userId, limit, after && conversationSequenceOf(after));
      const { items: stored, isLast } = await table.page(query, StoredNotification);
      const live = stored.filter(({ expiresAt }) => expiresAt * 1000 > now.getTime());
      const acknowledged = await acknowledgements.among(userId, live);
      return {
        items: live
          .filter((item) => !acknowledged.has(conversationSequenceOf(item)))
          .map((item) => {
            const { notifiedAt, expiresAt: _, ...notification } = item;
            return { notification, notifiedAt };
          }),
        readTo: isLast ? undefined : stored.at(-1),
      };
    },
  };
}

export function storedNotification(message: Message, now: Date): Item {
  return {
    ...message,
    [keys.partitionKey]: message.to,
    [keys.sortKey]: conversationSequenceOf(message),
    notifiedAt: now.toISOString(),
    [keys.timeToLive]: timeToLive(new Date(message.sentAt), NOTIFICATION_DAYS),
  };
}

function keyOf(userId: string, place: NotificationPlace): Item {
  return { [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) };
}
