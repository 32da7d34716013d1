import type * as v from 'valibot';
import type { DrainMessage } from '../contract.ts';
import { notificationIdOf, placeOf, type NotificationPlace } from '../domain/identifiers.ts';
import { notificationFrame } from '../frames.ts';
import { pushToDevice, type PushServices } from '../push.ts';
import type { ConnectionsTable } from '../store/connections.ts';
import type { InboxPage } from '../store/inbox.ts';
import type { CaughtUpFrame } from './caught-up.ts';

export interface DrainServices extends PushServices {
  readonly now: () => Date;
  readonly isTimeUp: () => boolean;
  readonly connections: Pick<ConnectionsTable, 'noteDrain' | 'remove'>;
  readonly inboxPage: (userId: string, after: NotificationPlace | undefined) => Promise<InboxPage>;
  readonly caughtUpFrame: (userId: string) => Promise<CaughtUpFrame>;
  readonly sendDrain: (message: DrainMessage) => Promise<void>;
}

/** `continued`: a message asks for the rest. */
export interface Drain {
  readonly outcome: 'caught-up' | 'continued' | 'gone';
  readonly pushed: number;
}

/** Clocks differ between invocations, and writes may be slow. */
const CLOCK_SKEW_MILLISECONDS = 60_000;

/**
 * Pushes a user's inbox to a device, by conversation and sequence. When time is up or a push fails, a message asks for
 * the rest.
 *
 * No notification is lost between a drain and a delivery. The device is live since its hello, and a delivery writes the
 * notification before it reads the connections. So either the delivery finds this connection, or the notification was
 * written before the hello and the drain finds it. The device gets twice what both find.
 *
 * The connection's owner is looked up, whatever the message says: notifications go to no other user.
 */
export async function drain(
  { userId, connectionId, goesOn }: v.InferOutput<typeof DrainMessage>,
  services: DrainServices,
): Promise<Drain> {
  const { connections } = services;
  const device = { userId, connectionId };
  if ((await connections.noteDrain(device, 'draining', services.now())) === 'gone')
    return { outcome: 'gone', pushed: 0 };
  const since = goesOn?.since ?? services.now().toISOString();
  const pushedLiveFrom = new Date(Date.parse(since) + CLOCK_SKEW_MILLISECONDS).toISOString();
  let after = goesOn?.after;
  let pushed = 0;
  const goOn = async (): Promise<Drain> => {
    if (after === undefined) throw new Error('A drain goes on from where it has come to.');
    await services.sendDrain({ ...device, goesOn: { after, since } });
    return { outcome: 'continued', pushed };
  };

  for (let isEnd = false; !isEnd;) {
    const from = after === undefined ? undefined : placeOf(after);
    const { items, readTo } = await services.inboxPage(userId, from);
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
  if ((await connections.noteDrain(device, 'caught-up', services.now())) === 'gone')
    return { outcome: 'gone', pushed };
  const isTold = await pushToDevice(device, frame, services);
  return { outcome: isTold ? 'caught-up' : 'gone', pushed };
}
