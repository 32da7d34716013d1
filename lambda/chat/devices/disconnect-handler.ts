import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { deviceHandler } from '../device.ts';
import { connectionsTable } from '../store/connections.ts';

const connections = lazily(() => connectionsTable(createDynamoDbClient()));

/** `$disconnect` is best effort of API Gateway. A device that vanishes without it is removed at the first push. */
export const handler = deviceHandler(
  async ({ userId, connectionId }) => connections().remove({ userId, connectionId }),
  // Nobody is left to tell of a problem.
  () => Promise.resolve('gone'),
);
