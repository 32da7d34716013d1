import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, projection } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { cardIndexAttributes, environmentNames, smallAmountIndexAttributes, tables } from '../contract.ts';
import type { Moment, PastSmallSale, PastUse } from '../domain/fraud/history.ts';
import { Transaction } from '../domain/transaction.ts';
import { occurrenceKeyOf } from './keys.ts';

const { byCard, bySmallAmount, partitionKey } = tables.stagedTransactions;

/** Most cards have fewer sales in 30 days: one page is the whole history. */
const PAGE_ITEMS = 250;

export interface HistoryRange {
  readonly upTo: Moment;
  readonly from: Date;
}

const OccurredAt = v.pipe(
  v.string(),
  v.transform((key) => new Date(key.slice(0, key.indexOf('#')))),
);

const StoredUse = v.pipe(
  v.object({
    transactionId: v.string(),
    [byCard.sortKey]: OccurredAt,
    businessDate: v.string(),
    merchantId: v.string(),
    type: Transaction.entries.type,
    amount: v.number(),
    currency: v.string(),
    location: Transaction.entries.location,
  }),
  v.transform(({ transactionId: factId, type: kind, [byCard.sortKey]: occurredAt, ...use }) => ({
    factId,
    kind,
    occurredAt,
    ...use,
  })),
);

const StoredSmallSale = v.pipe(
  v.object({
    transactionId: v.string(),
    [bySmallAmount.sortKey]: OccurredAt,
    businessDate: v.string(),
    cardToken: v.string(),
  }),
  v.transform(({ transactionId: factId, [bySmallAmount.sortKey]: occurredAt, ...sale }) => ({
    factId,
    occurredAt,
    ...sale,
  })),
);

/** Latest first. The indexes lag behind the table, usually by less than a second. */
export function historiesTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.stagedTransactionsTable),
) {
  const table = itemTable(client, name);

  function pages<T>(
    index: typeof byCard | typeof bySmallAmount,
    partition: string,
    { from, upTo }: HistoryRange,
    attributes: readonly string[],
    parse: (item: unknown) => T,
  ) {
    const { expression, names } = projection([partitionKey, index.sortKey, ...attributes]);
    return table.pages(
      {
        IndexName: index.name,
        KeyConditionExpression: `${index.partitionKey} = :partition AND ${index.sortKey} BETWEEN :from AND :upTo`,
        ProjectionExpression: expression,
        ExpressionAttributeNames: names,
        values: {
          ':partition': partition,
          // An instant without an id sorts before every fact of that instant.
          ':from': from.toISOString(),
          ':upTo': occurrenceKeyOf(upTo.occurredAt, upTo.factId),
        },
        ScanIndexForward: false,
        Limit: PAGE_ITEMS,
      },
      parse,
    );
  }

  return {
    ofCard: (cardToken: string, range: HistoryRange): AsyncIterable<readonly PastUse[]> =>
      pages(byCard, cardToken, range, cardIndexAttributes, (item) => parseWritten(StoredUse, item)),

    ofTerminal: (terminalKey: string, range: HistoryRange): AsyncIterable<readonly PastSmallSale[]> =>
      pages(bySmallAmount, terminalKey, range, smallAmountIndexAttributes, (item) =>
        parseWritten(StoredSmallSale, item),
      ),
  };
}

export type HistoriesTable = ReturnType<typeof historiesTable>;
