import { forEachConcurrently } from '../../shared/concurrency.ts';
import { acknowledge, type AcknowledgeServices } from '../notifications/acknowledge.ts';
import { buildAcknowledgeServices } from '../notifications/services.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from './device.ts';
import { placeOf } from '../domain/identifiers.ts';
import { AckFrame } from '../frames.ts';

/** `ack`: takes notifications from the user's queue. Ids that name nothing in it have no effect. */
export async function ack(request: DeviceRequest, services: AcknowledgeServices): Promise<void> {
  const { notificationIds } = parseFrame(AckFrame, request);
  const places = [...new Set(notificationIds)].map(placeOf).filter((place) => place !== undefined);
  await forEachConcurrently(places, 25, async (place) => {
    await acknowledge(request.userId, place, services);
  });
}

let services: AcknowledgeServices | undefined;

export const handler = deviceHandler((request) => ack(request, (services ??= buildAcknowledgeServices())));
