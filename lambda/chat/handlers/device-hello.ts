import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { createSqsClient } from '../../shared/sqs.ts';
import { environmentNames } from '../contract.ts';
import { deviceHandler, parseFrame, type DeviceRequest } from '../device.ts';
import { HelloFrame } from '../frames.ts';
import { notificationQueueSender, type SendNotificationMessage } from '../queues/notification-queue.ts';
import { storeConnection, type Device } from '../tables/connections.ts';

export interface HelloServices {
  readonly storeConnection: (device: Device) => Promise<void>;
  readonly sendMessage: SendNotificationMessage;
}

/**
 * `hello`: the device wants what waits, and then what arrives. Its connection is stored as not yet live, and goes live
 * when what waits has been pushed: by the worker, as it may take longer than a frame's handler should.
 */
export async function hello(request: DeviceRequest, services: HelloServices): Promise<void> {
  parseFrame(HelloFrame, request);
  const { userId, connectionId } = request;
  await services.storeConnection({ userId, connectionId });
  await services.sendMessage({ kind: 'device-online', userId, connectionId });
}

function buildServices(): HelloServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.connectionsTable);
  return {
    storeConnection: (device) => storeConnection(client, table, device, systemClock()),
    sendMessage: notificationQueueSender(
      createSqsClient(),
      environmentVariable(environmentNames.notificationQueueUrl),
    ),
  };
}

let services: HelloServices | undefined;

export const handler = deviceHandler((request) => hello(request, (services ??= buildServices())));
