import type * as v from 'valibot';
import type { DrainMessage } from '../contract.ts';
import { notificationFrame, type ServerFrame } from '../frames.ts';
import { notificationIdOf, placeOf, type NotificationPlace } from '../domain/identifiers.ts';
import { pushToDevice, type PushServices } from '../push/push.ts';
import type { Device } from '../store/connections.ts';
import type { WaitingPage } from '../store/notifications.ts';

/** The frame that a device gets once it has what waited. */
export type CaughtUpFrame = Extract<ServerFrame, { type: 'caught-up' }>;

export interface DrainServices extends PushServices {
  readonly now: () => Date;
  /** True when what is not done yet shall be left to a later invocation. */
  readonly isTimeUp: () => boolean;
  /** A part of what waits for the user, in the order of (conversation, sequence), read consistently. */
  readonly waitingPage: (userId: string, after: NotificationPlace | undefined) => Promise<WaitingPage>;
  /** Notes at the user's connection that it is being drained, or is caught up. `gone`: there is no such connection. */
  readonly noteDrain: (device: Device, state: 'draining' | 'caught-up') => Promise<'noted' | 'gone'>;
  readonly caughtUpFrame: (userId: string) => Promise<CaughtUpFrame>;
  readonly sendMessage: (message: DrainMessage) => Promise<void>;
}

/** `continued`: a message asks for the rest. */
export interface Drain {
  readonly outcome: 'caught-up' | 'continued' | 'gone';
  readonly pushed: number;
}

/** How far the clocks of two invocations may be apart, and how long a write may take. */
const CLOCK_SKEW_MILLISECONDS = 60_000;

/**
 * Pushes what waits for a user to one of the user's devices, in the order of (conversation, sequence), and says so when
 * it has come to the end. When its time is up, or a push fails, a message asks for the rest.
 *
 * The device is live since its hello. Whoever delivers a message writes the notification before reading the
 * connections. So either that read finds this connection, or the notification was written before the hello, and the
 * drain finds it: none is lost between the two. What both find the device gets twice.
 *
 * The owner of a connection is looked up; the message is not trusted. So a user's notifications go to no other user.
 */
export async function drain(
  { userId, connectionId, goesOn }: v.InferOutput<typeof DrainMessage>,
  services: DrainServices,
): Promise<Drain> {
  const device = { userId, connectionId };
  if ((await services.noteDrain(device, 'draining')) === 'gone') return { outcome: 'gone', pushed: 0 };
  const since = goesOn?.since ?? services.now().toISOString();
  const pushedLiveFrom = new Date(Date.parse(since) + CLOCK_SKEW_MILLISECONDS).toISOString();
  let after = goesOn?.after;
  let pushed = 0;
  const goOn = async (): Promise<Drain> => {
    if (after === undefined) throw new Error('A drain goes on from where it has come to.');
    await services.sendMessage({ ...device, goesOn: { after, since } });
    return { outcome: 'continued', pushed };
  };

  for (let isEnd = false; !isEnd;) {
    const from = after === undefined ? undefined : placeOf(after);
    const { items, readTo } = await services.waitingPage(userId, from);
    for (const { notification, notifiedAt } of items) {
      if (notifiedAt > pushedLiveFrom) continue;
      if (pushed > 0 && services.isTimeUp()) return goOn();
      try {
        if (!(await pushToDevice(device, notificationFrame(notification), services)))
          return { outcome: 'gone', pushed };
      } catch (error) {
        // What is pushed is not pushed again.
        if (pushed === 0) throw error;
        return goOn();
      }
      pushed += 1;
      after = notificationIdOf(notification);
    }
    if (readTo === undefined) isEnd = true;
    else {
      after = notificationIdOf(readTo);
      if (services.isTimeUp()) return goOn();
    }
  }

  const frame = await services.caughtUpFrame(userId);
  // The note comes first, so that a hello sent in answer to the frame finds the drain finished.
  if ((await services.noteDrain(device, 'caught-up')) === 'gone') return { outcome: 'gone', pushed };
  const isTold = await pushToDevice(device, frame, services);
  return { outcome: isTold ? 'caught-up' : 'gone', pushed };
}
