import type { DrainMessage } from '../contract.ts';
import { HelloFrame } from '../frames.ts';
import type { PushFrame } from '../push/push.ts';
import type { Device } from '../store/connections.ts';
import { parseFrame, type DeviceRequest } from './device.ts';

export interface HelloServices {
  readonly requestDrain: (device: Device) => Promise<'requested' | 'draining' | 'caught-up'>;
  readonly sendMessage: (message: DrainMessage) => Promise<void>;
  readonly pushFrame: PushFrame;
}

/**
 * `hello`: the device wants what arrives from now on, and what waits. Its connection is stored, which makes it live; what
 * waits is pushed by a worker, as that may take longer than a frame's handler should.
 *
 * However often a device says it, one drain at a time is under way, whose end answers all. One that has just caught up
 * is told so at once: what came since was pushed to it.
 */
export async function hello(request: DeviceRequest, services: HelloServices): Promise<void> {
  parseFrame(HelloFrame, request);
  const { userId, connectionId } = request;
  const drain = await services.requestDrain({ userId, connectionId });
  if (drain === 'requested') await services.sendMessage({ userId, connectionId });
  else if (drain === 'caught-up') {
    await services.pushFrame(connectionId, { type: 'caught-up', conversations: {}, more: true });
  }
}
