import { expect, test } from '@jest/globals';
import { tables } from '../../lambda/chat/contract.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import { acknowledgementsTable } from '../../lambda/chat/store/acknowledgements.ts';
import { connectionsTable } from '../../lambda/chat/store/connections.ts';
import { conversationsTable } from '../../lambda/chat/store/conversations.ts';
import { inboxTable } from '../../lambda/chat/store/inbox.ts';
import { messagesTable } from '../../lambda/chat/store/messages.ts';
import { rateLimitsTable } from '../../lambda/chat/store/rate-limits.ts';
import { conditionalWrites, conditionsIn, declaredIn } from './conditional-writes.ts';

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
const device = { userId: 'bob', connectionId: 'x=' };

protects(
  'a place in a conversation is taken once: of two messages for it the first one stands',
  { file: 'chat/store/messages.ts', condition: 'attribute_not_exists(conversationId)' },
  { ...tables.messages, numeric: [tables.messages.sortKey] },
  async ({ client, table }) => {
    const messages = messagesTable(client, table);
    expect(await messages.put(message)).toBe('written');
    expect(await messages.put({ ...message, messageId: 'm2', text: 'second' })).toBe('taken');
    expect(await messages.get(message.conversationId, 1)).toEqual(message);
  },
);

protects(
  'a notification that is delivered once more stays as it was put: a drain knows what was there before it',
  { file: 'chat/store/inbox.ts', condition: 'attribute_not_exists(userId)' },
  tables.inbox,
  async ({ client, table, items }) => {
    const inbox = inboxTable(client, table, acknowledgementsTable(client, table));
    expect(await inbox.put(message, now)).toBe('written');
    const first = await items();
    expect(first).toHaveLength(1);
    expect(await inbox.put(message, later)).toBe('exists');
    expect(await items()).toEqual(first);
    expect(await inbox.has('bob', place)).toBe(true);
  },
);

protects(
  'a connection that is gone does not come back when a drain ends',
  { file: 'chat/store/connections.ts', condition: 'attribute_exists(userId)' },
  tables.connections,
  async ({ client, table, items }) => {
    const connections = connectionsTable(client, table);
    await connections.requestDrain(device, now);
    expect(await connections.noteDrain(device, 'draining', now)).toBe('noted');
    await connections.remove(device);
    expect(await connections.noteDrain(device, 'caught-up', now)).toBe('gone');
    expect(await items()).toEqual([]);
  },
);

protects(
  'however often a device says hello, it is drained once, and again only some time after that',
  {
    file: 'chat/store/connections.ts',
    condition: 'attribute_not_exists(nextDrainAt) OR nextDrainAt <= :now',
  },
  tables.connections,
  async ({ client, table }) => {
    const connections = connectionsTable(client, table);
    const hello = async (at: Date) => connections.requestDrain(device, at);
    expect([await hello(now), await hello(now), await hello(later)]).toEqual([
      'requested',
      'draining',
      'draining',
    ]);
    expect(await connections.live('bob', later)).toEqual(['x=']);
    await connections.noteDrain(device, 'caught-up', later);
    expect(await hello(later)).toBe('caught-up');
    expect(await hello(new Date('2026-03-10T16:00:15.000Z'))).toBe('requested');
    // A drain that nobody hears of is lost.
    expect(await hello(new Date('2026-03-10T16:00:44.999Z'))).toBe('draining');
    expect(await hello(new Date('2026-03-10T16:00:45.000Z'))).toBe('requested');
  },
);

protects(
  'a sender posts no more than the limit in a window, and is told when the next one begins',
  {
    file: 'chat/store/rate-limits.ts',
    condition: 'attribute_not_exists(#count) OR #count < :most',
  },
  { ...tables.rateLimits, numeric: [tables.rateLimits.sortKey] },
  async ({ client, table }) => {
    const limits = rateLimitsTable(client, table);
    const take = async (at: Date) => limits.take('ada', { messages: 2, windowSeconds: 10 }, at);
    expect([await take(now), await take(now), await take(later)]).toEqual([undefined, undefined, 5]);
    expect(await take(new Date('2026-03-10T16:00:10.000Z'))).toBeUndefined();
  },
);

protects(
  'a read position never moves back, whatever order the frames come in',
  {
    file: 'chat/store/conversations.ts',
    condition: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
  },
  tables.conversations,
  async ({ client, table, items }) => {
    const conversations = conversationsTable(client, table);
    const read = async (sequence: number) =>
      conversations.advance({ userId: 'bob', ...place, sequence }, now);
    expect([await read(3), await read(5), await read(4), await read(5)]).toEqual([true, true, false, false]);
    expect(await items()).toMatchObject([{ sequence: 5 }]);
  },
);

test('every condition of the chat has its scenario', () => {
  expect(declaredIn(declared)).toEqual(conditionsIn('chat'));
});
