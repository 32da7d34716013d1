import { recentLimit, type DeviceOnline } from './contract.ts';
import { notificationFrame, type ServerFrame } from './frames.ts';
import { notificationIdOf, placeOf, type NotificationPlace } from './domain/identifiers.ts';
import type { PushFrame } from './push.ts';
import type { SendNotificationMessage } from './queues/notification-queue.ts';
import type { Device } from './tables/connections.ts';
import type { QueueItem } from './tables/notifications.ts';

export interface DrainServices {
  readonly now: () => Date;
  /** The user's queue in the order of (conversation, sequence), read consistently. */
  readonly queueOf: (userId: string, after: NotificationPlace | undefined) => AsyncIterable<QueueItem>;
  readonly pushFrame: PushFrame;
  /** True if the user's device has said hello on the connection, and it was not removed since. Read consistently. */
  readonly isConnected: (device: Device) => Promise<boolean>;
  readonly markLive: (device: Device) => Promise<'live' | 'gone'>;
  readonly removeConnection: (device: Device) => Promise<void>;
  readonly lastSequence: (conversationId: string) => Promise<number | undefined>;
  readonly sendMessage: SendNotificationMessage;
}

/** `continued`: more waits than one invocation pushes, and a message asks for the rest. */
export interface Drain {
  readonly outcome: 'caught-up' | 'continued' | 'gone';
  readonly pushed: number;
}

type WaitingItem = Extract<QueueItem, { kind: 'waiting' }>;

/** So many notifications are pushed in a few seconds at most, whatever the function's timeout. */
export const DRAIN_PASS_NOTIFICATIONS = 100;

/** How far the clocks of two invocations may be apart, and how long a write may take. */
const CLOCK_SKEW_MILLISECONDS = 60_000;

/** A frame with so many conversations is still far below the 32 KB that one WebSocket frame may have. */
const CAUGHT_UP_CONVERSATIONS = 500;

/**
 * Pushes what waits for a user to one of the user's devices, in the order of (conversation, sequence), makes the
 * device's connection live, and looks once more for what was put in the queue meanwhile.
 *
 * Whoever delivers a message writes the notification before reading the connections. So either that read finds this
 * connection live, or the notification was written before it became so, and the second look finds it: none is lost
 * between the two, and none is left for the next hello.
 *
 * What is the user's goes to a connection of the user's only: whose one is, is looked up, and not taken from a message.
 */
export async function drain(online: DeviceOnline, services: DrainServices): Promise<Drain> {
  const { userId, connectionId, goesOn } = online;
  const device = { userId, connectionId };
  if (!(await services.isConnected(device))) return { outcome: 'gone', pushed: 0 };
  const since = goesOn?.since ?? services.now().toISOString();
  const maybeSince = new Date(Date.parse(since) - CLOCK_SKEW_MILLISECONDS).toISOString();
  const recent = new Set(goesOn?.recent);
  const known = new Set(recent);
  let pushed = 0;
  const push = async ({ notification, notifiedAt }: WaitingItem): Promise<boolean> => {
    const id = notificationIdOf(notification);
    pushed += 1;
    known.add(id);
    if (notifiedAt >= maybeSince) recent.add(id);
    return pushOrRemove(device, notificationFrame(notification), services);
  };

  let last = goesOn?.after;
  for await (const item of services.queueOf(userId, last === undefined ? undefined : placeOf(last))) {
    if (item.kind === 'acknowledged') continue;
    if (pushed === DRAIN_PASS_NOTIFICATIONS && last !== undefined) {
      const rest = { after: last, since, recent: [...recent].slice(-recentLimit) };
      await services.sendMessage({ kind: 'device-online', ...device, goesOn: rest });
      return { outcome: 'continued', pushed };
    }
    last = notificationIdOf(item.notification);
    if (!(await push(item))) return { outcome: 'gone', pushed };
  }

  if ((await services.markLive(device)) === 'gone') return { outcome: 'gone', pushed };

  const conversations = new Set<string>();
  for await (const item of services.queueOf(userId, undefined)) {
    const { conversationId } = item.kind === 'waiting' ? item.notification : item.place;
    conversations.add(conversationId);
    if (item.kind === 'acknowledged' || known.has(notificationIdOf(item.notification))) continue;
    // Earlier passes have pushed what was there when the drain began.
    if (goesOn !== undefined && item.notifiedAt < maybeSince) continue;
    if (!(await push(item))) return { outcome: 'gone', pushed };
  }

  for (const frame of await caughtUpFrames([...conversations], services)) {
    if (!(await pushOrRemove(device, frame, services))) return { outcome: 'gone', pushed };
  }
  return { outcome: 'caught-up', pushed };
}

/** Says up to where each conversation goes, so that a device sees what it lacks: also what another one acknowledged. */
async function caughtUpFrames(
  conversationIds: readonly string[],
  services: Pick<DrainServices, 'lastSequence'>,
): Promise<ServerFrame[]> {
  const frames: ServerFrame[] = [];
  for (let from = 0; from === 0 || from < conversationIds.length; from += CAUGHT_UP_CONVERSATIONS) {
    const conversations: Record<string, number> = {};
    const chunk = conversationIds.slice(from, from + CAUGHT_UP_CONVERSATIONS);
    for (let start = 0; start < chunk.length; start += 25) {
      await Promise.all(
        chunk.slice(start, start + 25).map(async (conversationId) => {
          const last = await services.lastSequence(conversationId);
          if (last !== undefined) conversations[conversationId] = last;
        }),
      );
    }
    frames.push({ type: 'caught-up', conversations });
  }
  return frames;
}

/** @returns false if the connection is gone, and so removed */
async function pushOrRemove(
  device: Device,
  frame: ServerFrame,
  services: Pick<DrainServices, 'pushFrame' | 'removeConnection'>,
): Promise<boolean> {
  if ((await services.pushFrame(device.connectionId, frame)) === 'sent') return true;
  await services.removeConnection(device);
  return false;
}
