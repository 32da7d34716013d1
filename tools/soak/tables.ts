import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { environmentNames as settlementNames } from '../../lambda/card-settlement/contract.ts';
import { environmentNames as chatNames } from '../../lambda/chat/contract.ts';
import { notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';

/** Reads the app's tables without its code. */

const minorUnits = v.pipe(
  v.union([v.bigint(), v.pipe(v.number(), v.integer())]),
  v.transform((amount) => BigInt(amount)),
);
const status = v.picklist(['settled', 'held', 'reversed', 'rejected']);

const stagedItem = v.object({
  transactionId: v.string(),
  businessDate: v.string(),
  type: v.picklist(['sale', 'refund', 'reversal', 'release', 'reject']),
  amount: minorUnits,
  currency: v.string(),
});

const ledgerItem = v.object({
  ...stagedItem.entries,
  status,
  movesFrom: v.optional(status),
  gross: minorUnits,
  fee: minorUnits,
  net: minorUnits,
});

const messageItem = v.object({
  conversationId: v.string(),
  sequence: v.number(),
  messageId: v.string(),
  to: v.string(),
});

const notificationItem = v.object({
  userId: v.string(),
  conversationId: v.string(),
  sequence: v.number(),
  acknowledgedAt: v.optional(v.string()),
});

export type StagedItem = v.InferOutput<typeof stagedItem>;
export type LedgerItem = v.InferOutput<typeof ledgerItem>;
export type EntryStatus = LedgerItem['status'];
export type MessageItem = v.InferOutput<typeof messageItem>;
export type NotificationItem = v.InferOutput<typeof notificationItem>;

/** @param variable the value of a function's environment variable */
export function createTables(client: DynamoDBClient, variable: (name: string) => string) {
  async function* scan<Schema extends v.GenericSchema>(
    name: string,
    schema: Schema,
  ): AsyncGenerator<v.InferOutput<Schema>> {
    const query = { TableName: variable(name), ConsistentRead: true };
    for await (const page of paginateScan({ client }, query))
      for (const item of page.Items ?? []) yield v.parse(schema, unmarshall(item));
  }
  async function* notifications(): AsyncGenerator<NotificationItem> {
    const keyOf = (item: NotificationItem): string => `${item.userId} ${notificationIdOf(item)}`;
    const acknowledged = new Set<string>();
    for await (const item of scan(chatNames.acknowledgementsTable, notificationItem)) {
      acknowledged.add(keyOf(item));
      yield item;
    }
    // A killed worker may leave an acknowledged notification in the inbox, where nobody is shown it.
    for await (const item of scan(chatNames.notificationsTable, notificationItem))
      if (!acknowledged.has(keyOf(item))) yield item;
  }
  return {
    staged: () => scan(settlementNames.stagedTransactionsTable, stagedItem),
    ledger: () => scan(settlementNames.ledgerTable, ledgerItem),
    messages: () => scan(chatNames.messagesTable, messageItem),
    /** Tombstones of acknowledged notifications, and those that wait. */
    notifications: () => notifications(),
  };
}
