import { PermanentError } from '../shared/batch.ts';
import { notificationFrame, type ServerFrame } from './frames.ts';
import type { Message } from './domain/message.ts';
import type { PushFrame } from './push.ts';
import type { Device } from './tables/connections.ts';

export interface DeliveryServices {
  readonly getMessage: (conversationId: string, sequence: number) => Promise<Message | undefined>;
  readonly putNotification: (message: Message) => Promise<'written' | 'exists'>;
  readonly isAcknowledged: (message: Message) => Promise<boolean>;
  readonly liveConnections: (userId: string) => Promise<readonly string[]>;
  readonly pushFrame: PushFrame;
  readonly removeConnection: (device: Device) => Promise<void>;
}

/** What became of a message: `known` was acknowledged before. */
export type Delivery =
  | { readonly outcome: 'known' }
  | { readonly outcome: 'notified'; readonly pushed: number; readonly gone: number };

/**
 * Puts a message into its recipient's queue, then pushes it to the recipient's live connections. In this order: a
 * device that becomes live after the connections were read finds the notification in the queue.
 *
 * A message that comes again is pushed again unless it was acknowledged: who wrote the notification may have crashed
 * before it pushed.
 *
 * @throws PermanentError if there is no such message
 */
export async function deliver(
  conversationId: string,
  sequence: number,
  services: DeliveryServices,
): Promise<Delivery> {
  const message = await services.getMessage(conversationId, sequence);
  if (message === undefined) throw new PermanentError('The queue names a message that does not exist.');
  if ((await services.putNotification(message)) === 'exists' && (await services.isAcknowledged(message))) {
    return { outcome: 'known' };
  }
  const { pushed, gone } = await pushToLive(message.to, notificationFrame(message), services);
  return { outcome: 'notified', pushed, gone };
}

/**
 * Pushes a frame to every live connection of a user. One that is gone is removed, alone; what keeps failing is thrown
 * once the others have got theirs.
 *
 * @param except a connection that shall not get it
 */
export async function pushToLive(
  userId: string,
  frame: ServerFrame,
  services: Pick<DeliveryServices, 'liveConnections' | 'pushFrame' | 'removeConnection'>,
  except?: string,
): Promise<{ readonly pushed: number; readonly gone: number }> {
  const connectionIds = await services.liveConnections(userId);
  const results = await Promise.allSettled(
    connectionIds
      .filter((connectionId) => connectionId !== except)
      .map(async (connectionId) => {
        const result = await services.pushFrame(connectionId, frame);
        if (result === 'gone') await services.removeConnection({ userId, connectionId });
        return result;
      }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const pushed = results.filter((result) => result.status === 'fulfilled' && result.value === 'sent').length;
  return { pushed, gone: results.length - pushed };
}
