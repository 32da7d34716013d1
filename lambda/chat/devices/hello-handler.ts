import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { deviceHandler } from '../device.ts';
import { webSockets } from '../push.ts';
import { connectionsTable } from '../store/connections.ts';
import { drainQueue } from '../store/queues.ts';
import { hello } from './hello.ts';

const services = lazily(() => ({
  ...webSockets(),
  now: systemClock,
  connections: connectionsTable(createDynamoDbClient()),
  sendDrain: drainQueue(),
}));

export const handler = deviceHandler(async (request) => hello(request, services()));
