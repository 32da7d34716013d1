import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { isAcknowledged, putTombstone } from '../store/acknowledgements.ts';
import { isQueued, removeNotification, waitingPage } from '../store/notifications.ts';
import type { AcknowledgeServices } from './acknowledge.ts';
import type { ListServices } from './list-notifications.ts';

/** The ports of an acknowledgement, on the tables that the environment names. */
export function buildAcknowledgeServices(): AcknowledgeServices {
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

/** The ports of the list. */
export function buildListServices(): ListServices {
  const client = createDynamoDbClient();
  const names = {
    notifications: environmentVariable(environmentNames.notificationsTable),
    acknowledgements: environmentVariable(environmentNames.acknowledgementsTable),
  };
  return {
    waitingPage: (userId, after, pageItems) =>
      waitingPage(client, names, userId, { after, now: systemClock(), pageItems }),
  };
}
