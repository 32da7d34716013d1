import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from '../device.ts';
import { placeOf, type NotificationPlace } from '../domain/identifiers.ts';
import { AckFrame } from '../frames.ts';
import { acknowledge } from '../tables/notifications.ts';

export interface AckServices {
  readonly acknowledge: (userId: string, place: NotificationPlace) => Promise<unknown>;
}

/** `ack`: takes notifications from the user's queue. Ids that name nothing in it have no effect. */
export async function ack(request: DeviceRequest, services: AckServices): Promise<void> {
  const { notificationIds } = parseFrame(AckFrame, request);
  const places = [...new Set(notificationIds)].map(placeOf).filter((place) => place !== undefined);
  for (let from = 0; from < places.length; from += 25) {
    await Promise.all(
      places.slice(from, from + 25).map((place) => services.acknowledge(request.userId, place)),
    );
  }
}

function buildServices(): AckServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.notificationsTable);
  return { acknowledge: (userId, place) => acknowledge(client, table, userId, place, systemClock()) };
}

let services: AckServices | undefined;

export const handler = deviceHandler((request) => ack(request, (services ??= buildServices())));
