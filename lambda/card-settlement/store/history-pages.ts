import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { tables } from '../contract.ts';
import type { Moment } from '../domain/fraud/history.ts';
import { occurrenceKeyOf } from '../domain/identifiers.ts';
import { queryPages } from './pages.ts';

/** Which part of a history to read: up to a moment, and no earlier than an instant. */
export interface HistoryRange {
  readonly upTo: Moment;
  readonly from: Date;
}

/** More than most cards have in 30 days: one page is the whole history. */
const PAGE_ITEMS = 250;

/** The instant in the key that both indexes sort by. */
export const OccurredAt = v.pipe(
  v.string(),
  v.transform((key) => new Date(key.slice(0, key.indexOf('#')))),
);

/** Streams the pages of an index that is sorted by `occurrenceKeyOf`, latest first. */
export function historyPages<T>(
  client: DynamoDBClient,
  table: string,
  index: { readonly name: string; readonly partitionKey: string; readonly sortKey: string },
  partition: string,
  range: HistoryRange,
  attributes: readonly string[],
  parse: (item: unknown) => T,
): AsyncGenerator<readonly T[], void, undefined> {
  const read = [tables.stagedTransactions.partitionKey, index.sortKey, ...attributes];
  return queryPages(
    client,
    {
      TableName: table,
      IndexName: index.name,
      KeyConditionExpression: '#partition = :partition AND #sort BETWEEN :from AND :upTo',
      ProjectionExpression: read.map((_, number) => `#a${number}`).join(', '),
      ExpressionAttributeNames: {
        '#partition': index.partitionKey,
        '#sort': index.sortKey,
        ...Object.fromEntries(read.map((name, number) => [`#a${number}`, name])),
      },
      ExpressionAttributeValues: marshall({
        ':partition': partition,
        // An instant without an id sorts before every transaction of that instant.
        ':from': range.from.toISOString(),
        ':upTo': occurrenceKeyOf(range.upTo.occurredAt, range.upTo.transactionId),
      }),
      ScanIndexForward: false,
      Limit: PAGE_ITEMS,
    },
    parse,
  );
}
