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
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames, tables } from '../contract.ts';
import { conversationSequenceOf, type NotificationPlace } from '../domain/identifiers.ts';
import { NOTIFICATION_DAYS } from '../domain/message.ts';
import { timeToLive } from './time-to-live.ts';

const keys = tables.acknowledgements;

/** A tombstone outlives its notification: that expires 30 days after the message was sent, before any acknowledgement. */
const TOMBSTONE_DAYS = NOTIFICATION_DAYS + 1;

/** Most keys that one BatchGetItem takes. */
const BATCH_KEYS = 100;

export type AcknowledgementsTable = ReturnType<typeof acknowledgementsTable>;

/**
 * The tombstones of acknowledged notifications. They have a table of their own, so that reading an inbox does not read
 * them. All reads are consistent.
 */
export function acknowledgementsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.acknowledgementsTable),
) {
  return {
    async put(userId: string, place: NotificationPlace, now: Date): Promise<void> {
      await client.send(
        new PutItemCommand({ TableName: name, Item: marshall(tombstone(userId, place, now)) }),
      );
    },

    async has(userId: string, place: NotificationPlace): Promise<boolean> {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: name, Key: keyOf(userId, place), ConsistentRead: true }),
      );
      return item !== undefined;
    },

    /** Those of a user's notifications that are acknowledged, by `conversationSequenceOf`. */
    async among(userId: string, places: readonly NotificationPlace[]): Promise<ReadonlySet<string>> {
      const found = new Set<string>();
      for (let from = 0; from < places.length; from += BATCH_KEYS) {
        let wanted: KeysAndAttributes | undefined = {
          Keys: places.slice(from, from + BATCH_KEYS).map((place) => keyOf(userId, place)),
          ConsistentRead: true,
          ProjectionExpression: keys.sortKey,
        };
        // DynamoDB may leave keys to the next request.
        while (wanted !== undefined) {
          const answer: BatchGetItemCommandOutput = await client.send(
            new BatchGetItemCommand({ RequestItems: { [name]: wanted } }),
          );
          for (const item of answer.Responses?.[name] ?? [])
            found.add(String(unmarshall(item)[keys.sortKey]));
          wanted = answer.UnprocessedKeys?.[name];
        }
      }
      return found;
    },
  };
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

function keyOf(userId: string, place: NotificationPlace): Record<string, AttributeValue> {
  return marshall({ [keys.partitionKey]: userId, [keys.sortKey]: conversationSequenceOf(place) });
}
