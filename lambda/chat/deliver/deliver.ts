import { PermanentError } from '../../shared/batch.ts';
import { deviceLimit, type NotificationMessage } from '../contract.ts';
import type { NotificationPlace } from '../domain/identifiers.ts';
import { isExpired } from '../domain/message.ts';
import { errorFrame, frameProblem, notificationFrame } from '../frames.ts';
import { pushToAll, pushToDevice, type PushServices } from '../push.ts';
import type { AcknowledgementsTable } from '../store/acknowledgements.ts';
import type { ConnectionsTable } from '../store/connections.ts';
import type { InboxTable } from '../store/inbox.ts';
import type { MessagesTable } from '../store/messages.ts';

export interface DeliveryServices extends PushServices {
  readonly now: () => Date;
  readonly isTimeUp: () => boolean;
  readonly messages: Pick<MessagesTable, 'get'>;
  readonly inbox: Pick<InboxTable, 'put' | 'remove'>;
  readonly acknowledgements: Pick<AcknowledgementsTable, 'has'>;
  readonly connections: Pick<ConnectionsTable, 'live' | 'remove'>;
  readonly sendNotification: (message: NotificationMessage) => Promise<void>;
}

/** `known`: acknowledged before. `expired`: too old to wait. */
export type Delivery =
  | { readonly outcome: 'known' | 'expired' }
  | { readonly outcome: 'notified'; readonly pushed: number; readonly gone: number; readonly left: number };

/**
 * The order matters. The inbox is written before the connections are read: a device that says hello later finds the
 * notification in the inbox. Acknowledgements are read after that write: an earlier one is seen here, and the
 * notification is removed again; a later one removes it itself.
 *
 * A message that comes again is pushed again unless it was acknowledged, because the first invocation may have crashed
 * before the push. Devices that are not reached get a message of their own, so that the others are not pushed to twice.
 * @param only the devices of such a message
 * @throws PermanentError if there is no such message
 */
export async function deliver(
  place: NotificationPlace,
  services: DeliveryServices,
  only?: readonly string[],
): Promise<Delivery> {
  const { inbox, connections } = services;
  const message = await services.messages.get(place.conversationId, place.sequence);
  if (message === undefined) throw new PermanentError('The queue names a message that does not exist.');
  // Its tombstone may have expired, and with it the knowledge whether it was acknowledged.
  if (isExpired(message, services.now())) return { outcome: 'expired' };
  await inbox.put(message, services.now());
  if (await services.acknowledgements.has(message.to, message)) {
    await inbox.remove(message.to, message);
    return { outcome: 'known' };
  }
  const live = await connections.live(message.to, services.now());
  const wanted = live.slice(0, deviceLimit);
  const frame = notificationFrame(message);
  const { pushed, gone, left, error } = await pushToAll(
    only === undefined ? wanted : wanted.filter((connectionId) => only.includes(connectionId)),
    async (connectionId) => pushToDevice({ userId: message.to, connectionId }, frame, services),
    services.isTimeUp,
  );
  if (left.length > 0) {
    // Without progress, the same message comes again and at last goes to the dead-letter queue.
    if (pushed + gone === 0 && error !== undefined) throw error;
    const { conversationId, sequence, requestId } = message;
    await services.sendNotification({
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

/** Disconnects devices beyond the limit. The next message catches those that are missed. */
async function dismiss(
  userId: string,
  connectionIds: readonly string[],
  services: DeliveryServices,
): Promise<void> {
  const problem = frameProblem('too-many-devices', { detail: `The newest ${deviceLimit} stay.` });
  const dismissOne = async (connectionId: string): Promise<boolean> => {
    const device = { userId, connectionId };
    if (!(await pushToDevice(device, errorFrame(problem), services))) return false;
    await services.disconnect(connectionId);
    await services.connections.remove(device);
    return true;
  };
  await pushToAll(connectionIds, dismissOne, services.isTimeUp);
}
