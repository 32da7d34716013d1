import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, type Item } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS } from '../domain/message.ts';
import { timeToLive } from './time-to-live.ts';

const keys = tables.acknowledgements;

/** Outlives its notification, which expires 30 days after the sending, before any acknowledgement does. */
const TOMBSTONE_DAYS = NOTIFICATION_DAYS + 1;

const BATCH_KEYS = 100;

const StoredPlace = v.object({ conversationId: v.string(), sequence: v.number() });

export type AcknowledgementsTable = ReturnType<typeof acknowledgementsTable>;

/** Tombstones have a table of their own, so that reading an inbox does not read them. All reads are consistent. */
export function acknowledgementsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.acknowledgementsTable),
) {
  const table = itemTable(client, name);
  return {
    async put(userId: string, place: NotificationPlace, now: Date): Promise<void> {
      await table.put(tombstone(userId, place, now));
    },

    async has(userId: string, place: NotificationPlace): Promise<boolean> {
      return (await table.get(keyOf(userId, place), StoredPlace)) !== undefined;
    },

    async among(userId: string, places: readonly NotificationPlace[]): Promise<ReadonlySet<string>> {
      const found = new Set<string>();
      for (let from = 0; from < places.length; from += BATCH_KEYS) {
        const batch = places.slice(from, from + BATCH_KEYS).map((place) => keyOf(userId, place));
        for (const place of await table.getMany(batch, StoredPlace)) found.add(conversationSequenceOf(place));
      }
      return found;
    },
  };
}

export function tombstone(userId: string, place: NotificationPlace, now: Date): Item {
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

function keyOf(userId: string, place: NotificationPlace): Item {
  return { [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) };
}
