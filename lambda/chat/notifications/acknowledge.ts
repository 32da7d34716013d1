import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import type { NotificationPlace } from '../domain/identifiers.ts';
import { isAcknowledged, putTombstone } from '../store/acknowledgements.ts';
import { isQueued, removeNotification } from '../store/notifications.ts';

export interface AcknowledgeServices {
  readonly isQueued: (userId: string, place: NotificationPlace) => Promise<boolean>;
  readonly isAcknowledged: (userId: string, place: NotificationPlace) => Promise<boolean>;
  readonly putTombstone: (userId: string, place: NotificationPlace) => Promise<void>;
  readonly removeNotification: (userId: string, place: NotificationPlace) => Promise<void>;
}

/**
 * Acknowledges a notification of a user's. The tombstone is the acknowledgement: from that one write on the notification
 * is shown to nobody, and whoever delivers the message once more takes it out again. So a crash before the notification
 * is taken out, and a late duplicate between the two writes, change nothing.
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

/** What acknowledging needs, from the environment of a function that does it. */
export function acknowledgeServices(): AcknowledgeServices {
  const client = createDynamoDbClient();
  const notifications = environmentVariable(environmentNames.notificationsTable);
  const acknowledgements = environmentVariable(environmentNames.acknowledgementsTable);
  return {
    isQueued: (userId, place) => isQueued(client, notifications, userId, place),
    isAcknowledged: (userId, place) => isAcknowledged(client, acknowledgements, userId, place),
    putTombstone: (userId, place) => putTombstone(client, acknowledgements, userId, place, systemClock()),
    removeNotification: (userId, place) => removeNotification(client, notifications, userId, place),
  };
}
