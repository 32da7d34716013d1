import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { smallAmountIndexAttributes, tables } from '../contract.ts';
import type { PastSmallSale } from '../domain/fraud/history.ts';
import { historyPages, OccurredAt, type HistoryRange } from './history-pages.ts';

const index = tables.stagedTransactions.bySmallAmount;

const StoredSmallSale = v.pipe(
  v.object({
    transactionId: v.string(),
    [index.sortKey]: OccurredAt,
    businessDate: v.string(),
    cardToken: v.string(),
  }),
  v.transform(({ [index.sortKey]: occurredAt, ...sale }) => ({ ...sale, occurredAt })),
);

/** Streams a terminal's sales of small amounts, latest first, as `cardHistory` does. @param terminalKey see `terminalKeyOf` */
export function smallSalesAt(
  client: DynamoDBClient,
  table: string,
  terminalKey: string,
  range: HistoryRange,
): AsyncGenerator<readonly PastSmallSale[], void, undefined> {
  return historyPages(client, table, index, terminalKey, range, smallAmountIndexAttributes, (item) =>
    parseWritten(StoredSmallSale, item),
  );
}
