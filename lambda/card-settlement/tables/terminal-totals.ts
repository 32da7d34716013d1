import { PutItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
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

/** Records what a terminal reports of a date. Its last report stands: a terminal may correct itself. */
export async function recordTerminalTotals(
  client: DynamoDBClient,
  table: string,
  businessDate: BusinessDate,
  report: TerminalReport,
  now: Date,
): Promise<void> {
  await client.send(
    new PutItemCommand({
      TableName: table,
      Item: marshall({
        ...report,
        [keys.partitionKey]: scopeOf(businessDate),
        [keys.sortKey]: `${report.clientId}#${report.terminalId}`,
        reportedAt: now.toISOString(),
      }),
    }),
  );
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
