import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { lazily } from '../../shared/lazily.ts';
import { acknowledgementsTable } from '../store/acknowledgements.ts';
import { inboxTable } from '../store/inbox.ts';

export const acknowledgeServices = lazily(() => {
  const client = createDynamoDbClient();
  return { now: systemClock, inbox: inboxTable(client), acknowledgements: acknowledgementsTable(client) };
});
