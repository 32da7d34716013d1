import type { DeviceOnline } from './contract.ts';
import { notificationFrame, type ServerFrame } from './frames.ts';
import { notificationIdOf, placeOf, type NotificationPlace } from './domain/identifiers.ts';
import type { Notification } from './domain/message.ts';
import type { PushFrame } from './push.ts';
import type { SendNotificationMessage } from './queues/notification-queue.ts';
import type { Device } from './tables/connections.ts';
import type { QueueItem } from './tables/notifications.ts';

export interface DrainServices {
  readonly now: () => Date;
  /** The user's queue in the order of (conversation, sequence), read consistently. */
  readonly queueOf: (userId: string, after: NotificationPlace | undefined) => AsyncIterable<QueueItem>;
  readonly pushFrame: PushFrame;
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

/** So many notifications are pushed in a few seconds at most, whatever the function's timeout. */
export const DRAIN_PASS_NOTIFICATIONS = 100;

/** How far the clocks of two invocations may be apart. */
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
 */
export async function drain(online: DeviceOnline, services: DrainServices): Promise<Drain> {
  const device = { userId: online.userId, connectionId: online.connectionId };
  const since = online.since ?? services.now().toISOString();
  const pushed = new Set<string>();
  const push = async (notification: Notification): Promise<boolean> => {
    pushed.add(notificationIdOf(notification));
    return pushOrRemove(device, notificationFrame(notification), services);
  };

  let last: string | undefined = online.after;
  for await (const item of services.queueOf(device.userId, last === undefined ? undefined : placeOf(last))) {
    if (item.kind === 'acknowledged') continue;
    if (pushed.size === DRAIN_PASS_NOTIFICATIONS) {
      await services.sendMessage({
        kind: 'device-online',
        ...device,
        ...(last === undefined ? {} : { after: last }),
        since,
      });
      return { outcome: 'continued', pushed: pushed.size };
    }
    last = notificationIdOf(item.notification);
    if (!(await push(item.notification))) return { outcome: 'gone', pushed: pushed.size };
  }

  if ((await services.markLive(device)) === 'gone') return { outcome: 'gone', pushed: pushed.size };

  const conversations = new Set<string>();
  // Earlier passes have pushed what was there when the drain began; only what came since may have been missed.
  const missedSince =
    online.after === undefined ? '' : new Date(Date.parse(since) - CLOCK_SKEW_MILLISECONDS).toISOString();
  for await (const item of services.queueOf(device.userId, undefined)) {
    conversations.add(item.kind === 'waiting' ? item.notification.conversationId : item.place.conversationId);
    if (item.kind === 'acknowledged' || item.notifiedAt < missedSince) continue;
    if (pushed.has(notificationIdOf(item.notification))) continue;
    if (!(await push(item.notification))) return { outcome: 'gone', pushed: pushed.size };
  }

  for (const frame of await caughtUpFrames([...conversations], services)) {
    if (!(await pushOrRemove(device, frame, services))) return { outcome: 'gone', pushed: pushed.size };
  }
  return { outcome: 'caught-up', pushed: pushed.size };
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
