import type { DrainMessage } from '../contract.ts';
import { parseFrame, type DeviceRequest } from '../device.ts';
import { HelloFrame } from '../frames.ts';
import type { PushFrame } from '../push.ts';
import type { ConnectionsTable } from '../store/connections.ts';

export interface HelloServices {
  readonly now: () => Date;
  readonly connections: Pick<ConnectionsTable, 'requestDrain'>;
  readonly sendDrain: (message: DrainMessage) => Promise<void>;
  readonly pushFrame: PushFrame;
}

/**
 * Makes the connection live. A worker pushes what waits, which may take longer than a frame's handler should. One drain
 * at a time answers all hellos of a device. A device that has just caught up is told so at once: what came since was
 * pushed to it.
 */
export async function hello(request: DeviceRequest, services: HelloServices): Promise<void> {
  parseFrame(HelloFrame, request);
  const { userId, connectionId } = request;
  const drain = await services.connections.requestDrain({ userId, connectionId }, services.now());
  if (drain === 'requested') await services.sendDrain({ userId, connectionId });
  else if (drain === 'caught-up') {
    await services.pushFrame(connectionId, { type: 'caught-up', conversations: {}, more: true });
  }
}
