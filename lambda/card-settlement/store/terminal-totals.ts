import { hash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, marshalled } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { TerminalReport } from '../domain/terminal-totals.ts';
import { StoredLines } from './stored.ts';

const keys = tables.businessDays;
const PAGE_ITEMS = 100;

const StoredReport = v.object({
  clientId: v.string(),
  terminalId: v.string(),
  totals: StoredLines,
});

/** A client's reports of a date lie in 65,536 buckets, by a digest of the terminal. */
const BUCKET_DIGITS = 4;
/**
 * Two million terminals put 31 in an average bucket, and never 64: a client may report some four million. Counting a
 * bucket reads a few KB, and needs no counter that two requests could write.
 */
export const MOST_IN_BUCKET = 64;

export function terminalTotalsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);
  const itemKeys = v.object({ [keys.sortKey]: v.string() });
  return {
    /** A terminal's last report counts. @param mostInBucket reports that come at once may exceed it */
    record: async (
      businessDate: BusinessDate,
      report: TerminalReport,
      now: Date,
      mostInBucket = MOST_IN_BUCKET,
    ): Promise<'recorded' | 'too many'> => {
      const bucket = bucketOf(report);
      const known: string[] = [];
      const pages = table.pages(
        {
          KeyConditionExpression: `${keys.partitionKey} = :scope AND begins_with(${keys.sortKey}, :bucket)`,
          ProjectionExpression: keys.sortKey,
          values: { ':scope': scopeOf(businessDate), ':bucket': bucket },
          ConsistentRead: true,
        },
        (item) => parseWritten(itemKeys, item)[keys.sortKey],
      );
      for await (const page of pages) known.push(...page);
      if (!known.includes(`${bucket}${report.terminalId}`) && known.length >= mostInBucket) return 'too many';
      await table.put(itemOf(businessDate, report, now));
      return 'recorded';
    },

    pagesOf: (businessDate: BusinessDate): AsyncIterable<readonly TerminalReport[]> =>
      table.pages(
        {
          KeyConditionExpression: `${keys.partitionKey} = :scope`,
          values: { ':scope': scopeOf(businessDate) },
          ConsistentRead: true,
          Limit: PAGE_ITEMS,
        },
        (item) => parseWritten(StoredReport, item),
      ),
  };
}

export type TerminalTotalsTable = ReturnType<typeof terminalTotalsTable>;

export function terminalReportItem(businessDate: BusinessDate, report: TerminalReport, now: Date) {
  return marshalled(itemOf(businessDate, report, now));
}

function itemOf(businessDate: BusinessDate, report: TerminalReport, now: Date) {
  return {
    ...report,
    [keys.partitionKey]: scopeOf(businessDate),
    [keys.sortKey]: `${bucketOf(report)}${report.terminalId}`,
    reportedAt: now.toISOString(),
  };
}

export function bucketOf({ clientId, terminalId }: Pick<TerminalReport, 'clientId' | 'terminalId'>): string {
  return `${clientId}#${hash('sha256', terminalId).slice(0, BUCKET_DIGITS)}#`;
}

function scopeOf(businessDate: BusinessDate): string {
  return `terminals#${businessDate}`;
}
