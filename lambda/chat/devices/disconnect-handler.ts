import { deviceHandler } from './device.ts';
import { buildDisconnectServices, type DisconnectServices } from './services.ts';

let services: DisconnectServices | undefined;

/** `$disconnect`: best effort of API Gateway. A device that vanishes without it is removed at the first push. */
export const handler = deviceHandler(
  async ({ userId, connectionId }) => {
    services ??= buildDisconnectServices();
    await services.removeConnection({ userId, connectionId });
  },
  // Nobody is left on the connection who could be told of a problem.
  () => Promise.resolve('gone'),
);
