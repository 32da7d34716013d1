import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { deviceHandler, type DeviceRequest } from './device.ts';
import { removeConnection, type Device } from '../store/connections.ts';

export interface DisconnectServices {
  readonly removeConnection: (device: Device) => Promise<void>;
}

/** `$disconnect`: best effort of API Gateway. A device that vanishes without it is removed at the first push. */
export async function disconnect(
  { userId, connectionId }: DeviceRequest,
  services: DisconnectServices,
): Promise<void> {
  await services.removeConnection({ userId, connectionId });
}

function buildServices(): DisconnectServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.connectionsTable);
  return { removeConnection: (device) => removeConnection(client, table, device) };
}

let services: DisconnectServices | undefined;

export const handler = deviceHandler(
  (request) => disconnect(request, (services ??= buildServices())),
  // Nobody is there any more who could be told of a problem.
  () => Promise.resolve('gone'),
);
