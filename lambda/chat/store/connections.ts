import {
  ConditionalCheckFailedException,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { deviceLimit, environmentNames, tables } from '../contract.ts';
import { partitionQuery } from './partition.ts';

const keys = tables.connections;

/** API Gateway ends every connection after 2 hours. */
const CONNECTION_SECONDS = 2 * 3600 + 600;

export interface Device {
  readonly userId: string;
  readonly connectionId: string;
}

/** After this time without news, a drain is lost or far back in its queue: a hello may request another. */
const DRAINING_MILLISECONDS = 30_000;
/** A device that caught up gets what arrives live, and need not ask again so soon. */
const CAUGHT_UP_MILLISECONDS = 10_000;

/** Those beyond `deviceLimit` are read too, so that they can be disconnected. */
const MOST_READ = 2 * deviceLimit;

const StoredConnection = v.object({ connectionId: v.string(), expiresAt: v.number() });

export type ConnectionsTable = ReturnType<typeof connectionsTable>;

export function connectionsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.connectionsTable),
) {
  const table = itemTable(client, name);
  return {
    /** Makes the connection live. Requests a drain unless one is under way or ended a moment ago. */
    async requestDrain(device: Device, now: Date): Promise<'requested' | 'draining' | 'caught-up'> {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: name,
            Key: marshall(keyOf(device)),
            UpdateExpression:
              'SET expiresAt = if_not_exists(expiresAt, :expires), #state = :state, nextDrainAt = :next',
            ConditionExpression: 'attribute_not_exists(nextDrainAt) OR nextDrainAt <= :now',
            ExpressionAttributeNames: { '#state': 'state' },
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
    },

    /** A connection that is gone is not brought back. */
    async noteDrain(device: Device, state: 'draining' | 'caught-up', now: Date): Promise<'noted' | 'gone'> {
      const pause = state === 'draining' ? DRAINING_MILLISECONDS : CAUGHT_UP_MILLISECONDS;
      const noted = await table.update(keyOf(device), {
        UpdateExpression: 'SET #state = :state, nextDrainAt = :next',
        ConditionExpression: `attribute_exists(${keys.partitionKey})`,
        ExpressionAttributeNames: { '#state': 'state' },
        values: { ':state': state, ':next': now.getTime() + pause },
      });
      return noted === undefined ? 'gone' : 'noted';
    },

    async remove(device: Device): Promise<void> {
      await table.delete(keyOf(device));
    },

    /** The newest first, read consistently: all, up to twice as many as a user may have. */
    async live(userId: string, now: Date): Promise<string[]> {
      const found: v.InferOutput<typeof StoredConnection>[] = [];
      let after: string | undefined;
      for (let isLast = false; !isLast && found.length < MOST_READ;) {
        const page = await table.page(partitionQuery(keys, userId, MOST_READ, after), StoredConnection);
        found.push(...page.items.filter(({ expiresAt }) => expiresAt * 1000 > now.getTime()));
        after = page.items.at(-1)?.connectionId;
        ({ isLast } = page);
      }
      return found
        .toSorted((one, other) => other.expiresAt - one.expiresAt)
        .map(({ connectionId }) => connectionId);
    },
  };
}

function keyOf({ userId, connectionId }: Device) {
  return { [keys.partitionKey]: userId, [keys.sortKey]: connectionId };
}
