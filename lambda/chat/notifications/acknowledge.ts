import type { NotificationPlace } from '../domain/identifiers.ts';

export interface AcknowledgeServices {
  readonly isQueued: (userId: string, place: NotificationPlace) => Promise<boolean>;
  readonly isAcknowledged: (userId: string, place: NotificationPlace) => Promise<boolean>;
  readonly putTombstone: (userId: string, place: NotificationPlace) => Promise<void>;
  readonly removeNotification: (userId: string, place: NotificationPlace) => Promise<void>;
}

/**
 * Acknowledges a user's notification. The tombstone is the acknowledgement: from that one write on nobody is shown the
 * notification, and whoever delivers the message once more takes it out again. So neither a crash before the notification
 * is taken out, nor a late duplicate between the two writes, changes anything.
 *
 * What was never in the queue gets no tombstone, which would keep a message to come from being delivered.
 */
export async function acknowledge(
  userId: string,
  place: NotificationPlace,
  services: AcknowledgeServices,
): Promise<'acknowledged' | 'known' | 'unknown'> {
  if (!(await services.isQueued(userId, place)))
    return (await services.isAcknowledged(userId, place)) ? 'known' : 'unknown';
  await services.putTombstone(userId, place);
  await services.removeNotification(userId, place);
  return 'acknowledged';
}
