import { PermanentError } from '../../shared/batch.ts';
import { deviceLimit, type NotificationMessage } from '../contract.ts';
import { errorFrame, frameProblem, notificationFrame } from '../frames.ts';
import type { NotificationPlace } from '../domain/identifiers.ts';
import { isExpired, type Message } from '../domain/message.ts';
import { pushToAll, pushToDevice, type PushServices } from './push.ts';

export interface DeliveryServices extends PushServices {
  readonly now: () => Date;
  /** True when what is not done yet shall be left to a later invocation. */
  readonly isTimeUp: () => boolean;
  /** The user's connections that get what arrives, the newest first. */
  readonly liveConnections: (userId: string) => Promise<readonly string[]>;
  readonly getMessage: (conversationId: string, sequence: number) => Promise<Message | undefined>;
  readonly putNotification: (message: Message) => Promise<'written' | 'exists'>;
  readonly isAcknowledged: (userId: string, place: NotificationPlace) => Promise<boolean>;
  readonly removeNotification: (userId: string, place: NotificationPlace) => Promise<void>;
  readonly sendMessage: (message: NotificationMessage) => Promise<void>;
}

/** What became of a message. `known`: it was acknowledged before. `expired`: it is too old to wait. */
export type Delivery =
  | { readonly outcome: 'known' | 'expired' }
  | { readonly outcome: 'notified'; readonly pushed: number; readonly gone: number; readonly left: number };

/**
 * Puts a message into its recipient's queue, then pushes it to the recipient's live connections. In this order: a
 * device that says hello after the connections were read finds the notification in the queue.
 *
 * A message that comes again is pushed again unless it was acknowledged: the invocation that wrote the notification may
 * have crashed before it pushed. Whether it was is asked after the notification is written. An acknowledgement before that is seen,
 * and the notification is taken out again; a later one takes it out itself.
 *
 * Devices that are not reached are left to a message of their own, so that the others do not get it twice.
 *
 * @param only the devices of such a message
 * @throws PermanentError if there is no such message
 */
export async function deliver(
  place: NotificationPlace,
  services: DeliveryServices,
  only?: readonly string[],
): Promise<Delivery> {
  const message = await services.getMessage(place.conversationId, place.sequence);
  if (message === undefined) throw new PermanentError('The queue names a message that does not exist.');
  // Nobody could tell any more whether it was acknowledged.
  if (isExpired(message, services.now())) return { outcome: 'expired' };
  await services.putNotification(message);
  if (await services.isAcknowledged(message.to, message)) {
    await services.removeNotification(message.to, message);
    return { outcome: 'known' };
  }
  const live = await services.liveConnections(message.to);
  const wanted = live.slice(0, deviceLimit);
  const frame = notificationFrame(message);
  const { pushed, gone, left, error } = await pushToAll(
    only === undefined ? wanted : wanted.filter((connectionId) => only.includes(connectionId)),
    async (connectionId) => pushToDevice({ userId: message.to, connectionId }, frame, services),
    services.isTimeUp,
  );
  if (left.length > 0) {
    // Without progress the same message comes again, and finally goes to the dead-letter queue.
    if (pushed + gone === 0 && error !== undefined) throw error;
    const { conversationId, sequence, requestId } = message;
    await services.sendMessage({
      kind: 'push',
      conversationId,
      sequence: String(sequence),
      ...(requestId === undefined ? {} : { requestId }),
      connectionIds: [...left],
    });
  }
  await dismiss(message.to, live.slice(deviceLimit), services);
  return { outcome: 'notified', pushed, gone, left: left.length };
}

/** Disconnects devices that are too many. Those that are missed here are still too many at the next message. */
async function dismiss(
  userId: string,
  connectionIds: readonly string[],
  services: DeliveryServices,
): Promise<void> {
  const problem = frameProblem('too-many-devices', {
    detail: `The newest ${deviceLimit} stay.`,
  });
  const dismissOne = async (connectionId: string): Promise<boolean> => {
    const device = { userId, connectionId };
    if (!(await pushToDevice(device, errorFrame(problem), services))) return false;
    await services.disconnect(connectionId);
    await services.removeConnection(device);
    return true;
  };
  await pushToAll(connectionIds, dismissOne, services.isTimeUp);
}
