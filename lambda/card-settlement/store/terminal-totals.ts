import { hash } from 'node:crypto';
import {
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { Pages } from '../domain/merge-join.ts';
import type { TerminalReport } from '../domain/terminal-totals.ts';
import { Transaction } from '../domain/transaction.ts';
import { queryPages } from './pages.ts';
import { StoredInteger } from './stored.ts';

const keys = tables.businessDays;
const PAGE_ITEMS = 100;

const StoredReport = v.object({
  clientId: v.string(),
  terminalId: v.string(),
  totals: v.array(
    v.object({
      type: Transaction.entries.type,
      currency: v.string(),
      count: v.number(),
      amount: StoredInteger,
    }),
  ),
});

/** Terminals of a client and a date lie in buckets, by a digest of their ids: 65,536 of them. */
const BUCKET_DIGITS = 4;
/**
 * What a bucket takes. Two million terminals fill 31 places of each on average, and 64 of none: a client may report four
 * million, and never fewer than two. Counting in a bucket reads a few KB, and there is no counter that two could write.
 */
export const MOST_IN_BUCKET = 64;

/**
 * Records what a terminal reports of a date. Its last report stands: a terminal may correct itself.
 *
 * @param mostInBucket reports that come at once may pass it by as many
 */
export async function recordTerminalTotals(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  report: TerminalReport,
  now: Date,
  mostInBucket = MOST_IN_BUCKET,
): Promise<'recorded' | 'too many'> {
  const bucket = bucketOf(report);
  const { Items: items = [] } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#scope = :scope AND begins_with(#item, :bucket)',
      ProjectionExpression: '#item',
      ExpressionAttributeNames: { '#scope': keys.partitionKey, '#item': keys.sortKey },
      ExpressionAttributeValues: marshall({ ':scope': scopeOf(businessDate), ':bucket': bucket }),
      ConsistentRead: true,
      Limit: mostInBucket + 1,
    }),
  );
  const isKnown = items.some((item) => item[keys.sortKey]?.S === `${bucket}${report.terminalId}`);
  if (!isKnown && items.length >= mostInBucket) return 'too many';
  await client.send(
    new PutItemCommand({ TableName: table, Item: terminalReportItem(businessDate, report, now) }),
  );
  return 'recorded';
}

/** A report as the table keeps it. */
export function terminalReportItem(
  businessDate: BusinessDate,
  report: TerminalReport,
  now: Date,
): Record<string, AttributeValue> {
  return marshall({
    ...report,
    [keys.partitionKey]: scopeOf(businessDate),
    [keys.sortKey]: `${bucketOf(report)}${report.terminalId}`,
    reportedAt: now.toISOString(),
  });
}

/** Where the reports of a terminal and its like stand: what their keys begin with. */
export function bucketOf({ clientId, terminalId }: Pick<TerminalReport, 'clientId' | 'terminalId'>): string {
  return `${clientId}#${hash('sha256', terminalId).slice(0, BUCKET_DIGITS)}#`;
}

/** What terminals have reported of a date, page by page, read consistently. */
export function terminalReportsOf(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
): Pages<TerminalReport> {
  return queryPages(
    client,
    {
      TableName: table,
      KeyConditionExpression: '#scope = :scope',
      ExpressionAttributeNames: { '#scope': keys.partitionKey },
      ExpressionAttributeValues: marshall({ ':scope': scopeOf(businessDate) }),
      ConsistentRead: true,
      Limit: PAGE_ITEMS,
    },
    (item) => parseWritten(StoredReport, item),
  );
}

function scopeOf(businessDate: BusinessDate): string {
  return `terminals#${businessDate}`;
}
