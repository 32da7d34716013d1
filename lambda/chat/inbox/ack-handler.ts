import { forEachConcurrently } from '../../shared/concurrency.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from '../device.ts';
import { placeOf } from '../domain/identifiers.ts';
import { AckFrame } from '../frames.ts';
import { acknowledge, type AcknowledgeServices } from './acknowledge.ts';
import { acknowledgeServices } from './services.ts';

/** Ids of none in the inbox have no effect. */
export async function ack(request: DeviceRequest, services: AcknowledgeServices): Promise<void> {
  const { notificationIds } = parseFrame(AckFrame, request);
  const places = [...new Set(notificationIds)].map(placeOf).filter((place) => place !== undefined);
  await forEachConcurrently(places, 25, async (place) => {
    await acknowledge(request.userId, place, services);
  });
}

export const handler = deviceHandler(async (request) => ack(request, acknowledgeServices()));
