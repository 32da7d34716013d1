import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from '@jest/globals';
import { tables } from '../../lambda/chat/contract.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import {
  liveConnections,
  markLive,
  removeConnection,
  storeConnection,
} from '../../lambda/chat/tables/connections.ts';
import { getMessage, putMessage } from '../../lambda/chat/tables/messages.ts';
import {
  acknowledge,
  isAcknowledged,
  putNotification,
  queueOf,
  type QueueItem,
} from '../../lambda/chat/tables/notifications.ts';
import { takeFromLimit } from '../../lambda/chat/tables/rate-limits.ts';
import { advanceReadPosition } from '../../lambda/chat/tables/read-positions.ts';
import { conditionalWrites, conditionsIn, declaredIn, type Scenario } from './conditional-writes.ts';

/**
 * Goal: each condition of a write of the chat protects what it is there for.
 * Method: the table adapters on DynamoDB's engine; each scenario once as it stands, and once without the condition.
 */

const { protects, declared } = conditionalWrites();
const now = new Date('2026-03-10T16:00:00.000Z');
const later = new Date('2026-03-10T16:00:05.000Z');
const message: Message = {
  conversationId: 'c'.repeat(32),
  sequence: 1,
  messageId: 'm1',
  from: 'ada',
  to: 'bob',
  text: 'first',
  sentAt: now.toISOString(),
};
const place = { conversationId: message.conversationId, sequence: 1 };

const notifications = { file: 'chat/tables/notifications.ts' } as const;
const notificationKeys = tables.notifications;
const queued = async ({ client, table }: Scenario): Promise<QueueItem[]> => {
  const items: QueueItem[] = [];
  for await (const item of queueOf(client, table, 'bob', { now: later, pageItems: 10 })) items.push(item);
  return items;
};

protects(
  'a place in a conversation is taken once: of two messages for it the first one stands',
  { file: 'chat/tables/messages.ts', condition: 'attribute_not_exists(#conversation)' },
  { ...tables.messages, numeric: [tables.messages.sortKey] },
  async ({ client, table }) => {
    expect(await putMessage(client, table, message)).toBe('written');
    expect(await putMessage(client, table, { ...message, messageId: 'm2', text: 'second' })).toBe('taken');
    expect(await getMessage(client, table, message.conversationId, 1)).toEqual(message);
  },
);

protects(
  'a message that is delivered once more does not bring back what was acknowledged',
  { ...notifications, condition: 'attribute_not_exists(#user)' },
  notificationKeys,
  async (scenario) => {
    const { client, table } = scenario;
    expect(await putNotification(client, table, message, now)).toBe('written');
    expect(await acknowledge(client, table, 'bob', place, now)).toBe('acknowledged');
    expect(await putNotification(client, table, message, later)).toBe('exists');
    expect(await queued(scenario)).toEqual([{ kind: 'acknowledged', place }]);
  },
);

protects(
  'who acknowledges what never was leaves no tombstone, which would keep a message from being delivered',
  {
    ...notifications,
    condition: 'attribute_exists(#user) AND attribute_not_exists(#acknowledged)',
    clause: 'attribute_exists(#user)',
  },
  notificationKeys,
  async (scenario) => {
    const { client, table } = scenario;
    expect(await acknowledge(client, table, 'bob', place, now)).toBe('unknown');
    expect(await putNotification(client, table, message, later)).toBe('written');
    expect(await queued(scenario)).toMatchObject([{ kind: 'waiting' }]);
  },
);

protects(
  'a tombstone stays as the first device wrote it: it expires, however often others acknowledge',
  {
    ...notifications,
    condition: 'attribute_exists(#user) AND attribute_not_exists(#acknowledged)',
    clause: 'attribute_not_exists(#acknowledged)',
  },
  notificationKeys,
  async ({ client, table }) => {
    await putNotification(client, table, message, now);
    await acknowledge(client, table, 'bob', place, now);
    const tombstone = await onlyItem({ client, table });
    expect(await acknowledge(client, table, 'bob', place, later)).toBe('known');
    expect(await onlyItem({ client, table })).toEqual(tombstone);
    expect(await isAcknowledged(client, table, 'bob', place)).toBe(true);
  },
);

protects(
  'a connection that is gone does not come back when a drain ends',
  { file: 'chat/tables/connections.ts', condition: 'attribute_exists(#user)' },
  tables.connections,
  async ({ client, table }) => {
    const device = { userId: 'bob', connectionId: 'x=' };
    await storeConnection(client, table, device, now);
    await removeConnection(client, table, device);
    expect(await markLive(client, table, device)).toBe('gone');
    expect(await onlyItem({ client, table })).toBeUndefined();
    await storeConnection(client, table, device, now);
    expect(await markLive(client, table, device)).toBe('live');
    expect(await liveConnections(client, table, 'bob', later)).toEqual(['x=']);
  },
);

protects(
  'a sender posts no more than the limit in a window, and is told when the next one begins',
  {
    file: 'chat/tables/rate-limits.ts',
    condition: 'attribute_not_exists(#count) OR #count < :most',
  },
  { ...tables.rateLimits, numeric: [tables.rateLimits.sortKey] },
  async ({ client, table }) => {
    const take = async (at: Date) =>
      takeFromLimit(client, table, 'ada', { messages: 2, windowSeconds: 10 }, at);
    expect([await take(now), await take(now), await take(later)]).toEqual([undefined, undefined, 5]);
    expect(await take(new Date('2026-03-10T16:00:10.000Z'))).toBeUndefined();
  },
);

protects(
  'a read position never moves back, whatever order the frames come in',
  {
    file: 'chat/tables/read-positions.ts',
    condition: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
  },
  tables.readPositions,
  async ({ client, table }) => {
    const read = async (sequence: number) =>
      advanceReadPosition(client, table, { userId: 'bob', ...place, sequence }, now);
    expect([await read(3), await read(5), await read(4), await read(5)]).toEqual([true, true, false, false]);
    expect(await onlyItem({ client, table })).toMatchObject({ sequence: 5 });
  },
);

test('every condition of the chat has its scenario', () => {
  expect(declaredIn(declared)).toEqual(conditionsIn('chat'));
});

async function onlyItem({ client, table }: Pick<Scenario, 'client' | 'table'>): Promise<unknown> {
  const { Items: items = [] } = await client.send(
    new ScanCommand({ TableName: table, ConsistentRead: true }),
  );
  expect(items.length).toBeLessThanOrEqual(1);
  return items[0] && unmarshall(items[0]);
}
