import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { cardIndexAttributes, tables } from '../contract.ts';
import type { PastUse } from '../domain/fraud/history.ts';
import { Transaction } from '../domain/transaction.ts';
import { historyPages, OccurredAt, type HistoryRange } from './history-pages.ts';

const index = tables.stagedTransactions.byCard;

const StoredUse = v.pipe(
  v.object({
    transactionId: v.string(),
    [index.sortKey]: OccurredAt,
    businessDate: v.string(),
    merchantId: v.string(),
    type: Transaction.entries.type,
    amount: v.number(),
    currency: v.string(),
    location: Transaction.entries.location,
  }),
  v.transform(({ [index.sortKey]: occurredAt, ...use }) => ({ ...use, occurredAt })),
);

/**
 * Streams a card's sales and refunds, latest first, as far as they were staged a moment ago: an index lags behind its
 * table, as a rule by less than a second. Stops reading where its reader stops.
 */
export function cardHistory(
  client: DynamoDBClient,
  table: string,
  cardToken: string,
  range: HistoryRange,
): AsyncGenerator<readonly PastUse[], void, undefined> {
  return historyPages(client, table, index, cardToken, range, cardIndexAttributes, (item) =>
    parseWritten(StoredUse, item),
  );
}
