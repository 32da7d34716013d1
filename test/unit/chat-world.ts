import type { NotificationMessage as QueuedMessage } from '../../lambda/chat/contract.ts';
import {
  conversationIdOf,
  conversationSequenceOf,
  messageIdOf,
} from '../../lambda/chat/domain/identifiers.ts';
import type { Message } from '../../lambda/chat/domain/message.ts';
import type { ServerFrame } from '../../lambda/chat/frames.ts';
import type { PushServices } from '../../lambda/chat/handlers/push-notification.ts';
import type { QueueItem } from '../../lambda/chat/tables/notifications.ts';

export const ada = 'ada';
export const bob = 'bob';
export const conversation = conversationIdOf(ada, bob);

/** A message of ada to bob. */
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

/** Lets something happen between a call and its effect: other calls, or a crash. */
export type Step = <T>(effect: () => T) => Promise<T>;

const atOnce: Step = async (effect) => Promise.resolve(effect());

/**
 * The tables, the queue and the connections in memory. Every call takes effect at one instant, as one conditional
 * write or one consistent read does.
 */
export function createChatWorld(options: { readonly step?: Step; readonly now?: () => Date } = {}) {
  const { step = atOnce, now = () => new Date('2026-03-10T16:05:01.000Z') } = options;
  const messages = new Map<string, Message>();
  const queues = new Map<string, Map<string, QueueItem>>();
  const connections = new Map<string, { readonly userId: string; live: boolean }>();
  const devices = new Map<string, ServerFrame[]>();
  const queued: QueuedMessage[] = [];

  const queue = (userId: string): Map<string, QueueItem> => {
    const found = queues.get(userId) ?? new Map<string, QueueItem>();
    queues.set(userId, found);
    return found;
  };
  const world = {
    messages,
    connections,
    /** The open connections, and what was pushed to each. */
    devices,
    /** What was sent to the notification queue. */
    queued,
    post: (message: Message) => messages.set(conversationSequenceOf(message), message),
    /** A device that has said hello. */
    hello: (userId: string, connectionId: string) => {
      if (!devices.has(connectionId)) devices.set(connectionId, []);
      connections.set(connectionId, connections.get(connectionId) ?? { userId, live: false });
    },
    /** Acknowledges, as the table does: only what waits. */
    acknowledge: (userId: string, place: { conversationId: string; sequence: number }) => {
      const key = conversationSequenceOf(place);
      if (queue(userId).get(key)?.kind === 'waiting') queue(userId).set(key, { kind: 'acknowledged', place });
    },
    waiting: (userId: string): number[] =>
      [...queue(userId).values()].flatMap((item) =>
        item.kind === 'waiting' ? [item.notification.sequence] : [],
      ),
    /** Sequences in the order in which a device got them. */
    seen: (connectionId: string): number[] =>
      (devices.get(connectionId) ?? []).flatMap((frame) =>
        frame.type === 'notification' ? [frame.sequence] : [],
      ),
  };

  const services: PushServices = {
    now,
    getMessage: async (conversationId, sequence) =>
      step(() => messages.get(conversationSequenceOf({ conversationId, sequence }))),
    putNotification: async (message) =>
      step(() => {
        const key = conversationSequenceOf(message);
        if (queue(message.to).has(key)) return 'exists';
        queue(message.to).set(key, {
          kind: 'waiting',
          notification: message,
          notifiedAt: now().toISOString(),
        });
        return 'written';
      }),
    isAcknowledged: async (message) =>
      step(() => queue(message.to).get(conversationSequenceOf(message))?.kind === 'acknowledged'),
    liveConnections: async (userId) =>
      step(() =>
        [...connections].flatMap(([id, connection]) =>
          connection.userId === userId && connection.live ? [id] : [],
        ),
      ),
    pushFrame: async (connectionId, frame) =>
      step(() => {
        const frames = devices.get(connectionId);
        if (frames === undefined) return 'gone';
        frames.push(frame);
        return 'sent';
      }),
    removeConnection: async ({ connectionId }) => step(() => void connections.delete(connectionId)),
    isConnected: async ({ userId, connectionId }) =>
      step(() => connections.get(connectionId)?.userId === userId),
    markLive: async ({ connectionId }) =>
      step(() => {
        const found = connections.get(connectionId);
        if (found === undefined) return 'gone';
        found.live = true;
        return 'live';
      }),
    queueOf: async function* (userId, after) {
      const from = after === undefined ? '' : conversationSequenceOf(after);
      // A page is read at one instant; what comes later is not in it.
      const page = await step(() =>
        [...queue(userId)].filter(([key]) => key > from).toSorted(([one], [other]) => (one < other ? -1 : 1)),
      );
      for (const [, item] of page) yield item;
    },
    lastSequence: async (conversationId) =>
      step(() =>
        [...messages.values()]
          .filter((message) => message.conversationId === conversationId)
          .reduce<number | undefined>((last, { sequence }) => Math.max(last ?? 0, sequence), undefined),
      ),
    sendMessage: async (message) => step(() => void queued.push(message)),
  };
  return { ...world, services };
}
