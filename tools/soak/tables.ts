import { type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { notificationIdOf } from '../../lambda/chat/domain/identifiers.ts';

/** What the app's tables hold, read past the app, as the checks read it. */

const minorUnits = v.pipe(
  v.union([v.bigint(), v.pipe(v.number(), v.integer())]),
  v.transform((amount) => BigInt(amount)),
);
const status = v.picklist(['settled', 'held', 'reversed', 'rejected']);
const factType = v.picklist(['sale', 'refund', 'reversal', 'release', 'reject']);

const stagedItem = v.object({
  transactionId: v.string(),
  businessDate: v.string(),
  type: factType,
  amount: minorUnits,
  currency: v.string(),
});

const ledgerItem = v.object({
  transactionId: v.string(),
  businessDate: v.string(),
  type: factType,
  status,
  movesFrom: v.optional(status),
  amount: minorUnits,
  gross: minorUnits,
  fee: minorUnits,
  net: minorUnits,
  currency: v.string(),
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

/** Names of the tables, as the functions of the app know them. */
export interface TableNames {
  readonly staged: string;
  readonly ledger: string;
  readonly messages: string;
  readonly notifications: string;
  readonly acknowledgements: string;
}

export interface Tables {
  readonly staged: () => AsyncGenerator<StagedItem, void, undefined>;
  readonly ledger: () => AsyncGenerator<LedgerItem, void, undefined>;
  readonly messages: () => AsyncGenerator<MessageItem, void, undefined>;
  /** Those that wait, and the tombstones of those that are acknowledged. */
  readonly notifications: () => AsyncGenerator<NotificationItem, void, undefined>;
}

/** Reads whole tables, page by page, consistently. */
export function createTables(client: DynamoDBClient, names: TableNames): Tables {
  async function* scan<Schema extends v.GenericSchema>(
    tableName: string,
    schema: Schema,
  ): AsyncGenerator<v.InferOutput<Schema>, void, undefined> {
    for await (const page of paginateScan({ client }, { TableName: tableName, ConsistentRead: true })) {
      for (const item of page.Items ?? []) yield v.parse(schema, unmarshall(item));
    }
  }
  return {
    staged: () => scan(names.staged, stagedItem),
    ledger: () => scan(names.ledger, ledgerItem),
    messages: () => scan(names.messages, messageItem),
    notifications: async function* () {
      const acknowledged = new Set<string>();
      for await (const item of scan(names.acknowledgements, notificationItem)) {
        acknowledged.add(`${item.userId} ${notificationIdOf(item)}`);
        yield item;
      }
      // One that is acknowledged and was not taken out, as the worker was killed, is shown to nobody.
      for await (const item of scan(names.notifications, notificationItem)) {
        if (!acknowledged.has(`${item.userId} ${notificationIdOf(item)}`)) yield item;
      }
    },
  };
}
