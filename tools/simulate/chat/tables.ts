import { tableNames } from './environment.ts';
import { tables } from '../../../lambda/chat/contract.ts';
import { keySchema, tableOf, type Tables } from '../tables.ts';

/** Chat's tables, as its stack declares them. */
export async function createTables({ createTable }: Tables): Promise<void> {
  const { byMessageId, ...messages } = tables.messages;
  await createTable({
    ...tableOf(
      tableNames.messages,
      [messages.partitionKey, messages.sortKey],
      [byMessageId.sortKey],
      [messages.sortKey],
    ),
    LocalSecondaryIndexes: [
      {
        IndexName: byMessageId.name,
        KeySchema: keySchema([messages.partitionKey, byMessageId.sortKey]),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  });
  const { inbox, acknowledgements, connections, conversations, rateLimits } = tables;
  for (const [name, keys] of [
    [tableNames.inbox, inbox],
    [tableNames.acknowledgements, acknowledgements],
    [tableNames.connections, connections],
    [tableNames.conversations, conversations],
  ] as const) {
    await createTable(tableOf(name, [keys.partitionKey, keys.sortKey]));
  }
  const { partitionKey, sortKey } = rateLimits;
  await createTable(tableOf(tableNames.rateLimits, [partitionKey, sortKey], [], [sortKey]));
}
