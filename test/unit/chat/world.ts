import type { Scheduler } from 'fast-check';
import type { DrainMessage, NotificationMessage } from '../../../lambda/chat/contract.ts';
import type { DeliveryServices } from '../../../lambda/chat/deliver/deliver.ts';
import {
  conversationIdOf,
  conversationSequenceOf,
  messageIdOf,
} from '../../../lambda/chat/domain/identifiers.ts';
import type { Message } from '../../../lambda/chat/domain/message.ts';
import { caughtUpFrame, type CaughtUpServices } from '../../../lambda/chat/drain/caught-up.ts';
import type { DrainServices } from '../../../lambda/chat/drain/drain.ts';
import type { ServerFrame } from '../../../lambda/chat/frames.ts';
import type { AcknowledgeServices } from '../../../lambda/chat/inbox/acknowledge.ts';
import type { WaitingItem } from '../../../lambda/chat/store/inbox.ts';

export const ada = 'ada';
export const bob = 'bob';
export const conversation = conversationIdOf(ada, bob);

export function chatMessage(sequence: number, from = ada, to = bob): Message {
  return {
    conversationId: conversationIdOf(from, to),
    sequence,
    messageId: messageIdOf(from, to, `id-${sequence}`),
    from,
    to,
    text: `message ${sequence}`,
    sentAt: '2026-03-10T16:05:00.000Z',
  };
}

/**
 * Waits for something that needs what the scheduler lets through. Like the scheduler's `waitFor`, which waits for
 * 50 ticks before each choice, where a turn of the event loop does.
 */
export async function settled<T>(scheduler: Scheduler, task: Promise<T>): Promise<T> {
  const turn = async () => new Promise((resolve) => setImmediate(resolve));
  const driven = turn().then(() =>
    scheduler.waitAll(async (act) => {
      await act();
      await turn();
    }),
  );
  const [result] = await Promise.all([task, driven]);
  return result;
}

/** Lets something happen between a call and its effect: other calls, or a crash. */
export type Step = <T>(effect: () => T) => Promise<T>;

const atOnce: Step = async (effect) => Promise.resolve(effect());

/**
 * The tables, the queues and the connections in memory. Every call takes effect at one instant, as one conditional
 * write or one consistent read does.
 */
export function createChatWorld(
  options: { readonly step?: Step; readonly now?: () => Date; readonly pageItems?: number } = {},
) {
  const { step = atOnce, now = () => new Date('2026-03-10T16:05:01.000Z'), pageItems = 100 } = options;
  const messages = new Map<string, Message>();
  const inboxes = new Map<string, Map<string, WaitingItem>>();
  const tombstones = new Set<string>();
  const connections = new Map<string, { readonly userId: string; state: 'draining' | 'caught-up' }>();
  const devices = new Map<string, ServerFrame[]>();
  const stuck = new Set<string>();
  const drains: DrainMessage[] = [];
  const queued: NotificationMessage[] = [];

  const inbox = (userId: string): Map<string, WaitingItem> => {
    const found = inboxes.get(userId) ?? new Map<string, WaitingItem>();
    inboxes.set(userId, found);
    return found;
  };
  const isTombstone = (userId: string, key: string): boolean => tombstones.has(`${userId} ${key}`);
  const world = {
    messages,
    connections,
    devices,
    /** Connections whose device takes nothing. */
    stuck,
    drains,
    queued,
    inbox,
    post: (message: Message) => messages.set(conversationSequenceOf(message), message),
    hello: (userId: string, connectionId: string) => {
      if (!devices.has(connectionId)) devices.set(connectionId, []);
      connections.set(connectionId, { userId, state: 'draining' });
    },
    acknowledged: (userId: string): number[] =>
      [...messages].flatMap(([key, { sequence }]) => (isTombstone(userId, key) ? [sequence] : [])),
    /** What those see who read what waits. */
    waiting: (userId: string): number[] =>
      [...inbox(userId)].flatMap(([key, { notification }]) =>
        isTombstone(userId, key) ? [] : [notification.sequence],
      ),
    /** Sequences in the order in which a device got them. */
    seen: (connectionId: string): number[] =>
      (devices.get(connectionId) ?? []).flatMap((frame) =>
        frame.type === 'notification' ? [frame.sequence] : [],
      ),
  };

  const tables: CaughtUpServices & Pick<DeliveryServices, 'messages'> = {
    messages: {
      get: async (conversationId, sequence) =>
        step(() => messages.get(conversationSequenceOf({ conversationId, sequence }))),
      lastSequences: async (conversationIds) => {
        const found = new Map<string, number>();
        for (const id of conversationIds) {
          const sequences = await step(() =>
            [...messages.values()].flatMap(({ conversationId, sequence }) =>
              conversationId === id ? [sequence] : [],
            ),
          );
          if (sequences.length > 0) found.set(id, Math.max(...sequences));
        }
        return found;
      },
    },
    conversations: {
      of: async (userId, after, limit) =>
        step(() =>
          [...new Map([...messages.values()].map((message) => [message.conversationId, message])).values()]
            .filter(({ from, to }) => from === userId || to === userId)
            .map(({ conversationId, from, to }) => ({
              conversationId,
              with: from === userId ? to : from,
              readSequence: 0,
            }))
            .filter(({ conversationId }) => after === undefined || conversationId > after)
            .slice(0, limit),
        ),
    },
  };
  const services: DeliveryServices & DrainServices & AcknowledgeServices = {
    ...tables,
    now,
    isTimeUp: () => false,
    inbox: {
      put: async (message) =>
        step(() => {
          const key = conversationSequenceOf(message);
          if (inbox(message.to).has(key)) return 'exists';
          inbox(message.to).set(key, { notification: message, notifiedAt: now().toISOString() });
          return 'written';
        }),
      has: async (userId, place) => step(() => inbox(userId).has(conversationSequenceOf(place))),
      remove: async (userId, place) => step(() => void inbox(userId).delete(conversationSequenceOf(place))),
    },
    acknowledgements: {
      has: async (userId, place) => step(() => isTombstone(userId, conversationSequenceOf(place))),
      put: async (userId, place) =>
        step(() => void tombstones.add(`${userId} ${conversationSequenceOf(place)}`)),
    },
    connections: {
      live: async (userId) =>
        step(() =>
          [...connections]
            .flatMap(([id, connection]) => (connection.userId === userId ? [id] : []))
            .toReversed(),
        ),
      remove: async ({ connectionId }) => step(() => void connections.delete(connectionId)),
      noteDrain: async ({ userId, connectionId }, state) =>
        step(() => {
          const found = connections.get(connectionId);
          if (found?.userId !== userId) return 'gone';
          found.state = state;
          return 'noted';
        }),
    },
    pushFrame: async (connectionId, frame) =>
      step(() => {
        const frames = devices.get(connectionId);
        if (frames === undefined) return 'gone';
        if (stuck.has(connectionId)) return 'stuck';
        frames.push(frame);
        return 'sent';
      }),
    disconnect: async (connectionId) => step(() => void devices.delete(connectionId)),
    inboxPage: async (userId, after) => {
      const from = after === undefined ? '' : conversationSequenceOf(after);
      // A page is read at one instant, and what is acknowledged of it at another.
      const page = await step(() =>
        [...inbox(userId)]
          .filter(([key]) => key > from)
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .slice(0, pageItems),
      );
      const items = await step(() => page.flatMap(([key, item]) => (isTombstone(userId, key) ? [] : [item])));
      const last = page.length < pageItems ? undefined : page.at(-1);
      return { items, readTo: last?.[1].notification };
    },
    caughtUpFrame: async (userId) => caughtUpFrame(userId, tables),
    sendNotification: async (message) => step(() => void queued.push(message)),
    sendDrain: async (message) => step(() => void drains.push(message)),
  };
  return { ...world, services };
}
