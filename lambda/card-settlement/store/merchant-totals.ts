import {
  BatchWriteItemCommand,
  type BatchWriteItemCommandOutput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import * as v from 'valibot';
import { parseWritten } from '../../shared/parse.ts';
import { tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { MerchantTotals } from '../domain/totals.ts';
import { queryPages } from './pages.ts';
import { StoredIntegerText } from './stored.ts';

const keys = tables.businessDays;

const StoredTotals = v.object({
  merchantId: v.string(),
  currency: v.string(),
  count: v.number(),
  gross: StoredIntegerText,
  fees: StoredIntegerText,
  net: StoredIntegerText,
});

/**
 * Writes what merchants get, under the revision of the day they belong to: readers see a revision once the day is
 * balanced at it. Whoever computes them, from a sealed day without a gap, computes the same: no condition is needed.
 *
 * @param totals at most 25
 */
export async function writeMerchantTotals(
  client: DynamoDBClient,
  table: string,
  day: { readonly businessDate: BusinessDate; readonly revision: number },
  totals: readonly MerchantTotals[],
): Promise<void> {
  if (totals.length === 0) return;
  let wanted: BatchWriteItemCommandOutput['UnprocessedItems'] = {
    [table]: totals.map(({ merchantId, currency, count, gross, fees, net }) => ({
      PutRequest: {
        Item: marshall({
          [keys.partitionKey]: scopeOf(day),
          [keys.sortKey]: `${merchantId}#${currency}`,
          merchantId,
          currency,
          count,
          gross: String(gross),
          fees: String(fees),
          net: String(net),
        }),
      },
    })),
  };
  for (let attempt = 0; wanted !== undefined && Object.keys(wanted).length > 0; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** Math.min(attempt, 6)));
    if (attempt > 10) throw new Error('DynamoDB left items unprocessed eleven times in a row.');
    const answer: BatchWriteItemCommandOutput = await client.send(
      new BatchWriteItemCommand({ RequestItems: wanted }),
    );
    wanted = answer.UnprocessedItems;
  }
}

/** What merchants get, by merchant and currency, page by page. @param after the last `<merchantId>#<currency>` read */
export function merchantTotalsOf(
  client: DynamoDBClient,
  table: string,
  day: { readonly businessDate: BusinessDate; readonly revision: number },
  after: string | undefined,
  pageItems: number,
): AsyncGenerator<readonly MerchantTotals[], void, undefined> {
  return queryPages(
    client,
    {
      TableName: table,
      KeyConditionExpression: `#scope = :scope${after === undefined ? '' : ' AND #item > :after'}`,
      ExpressionAttributeNames: {
        '#scope': keys.partitionKey,
        ...(after === undefined ? {} : { '#item': keys.sortKey }),
      },
      ExpressionAttributeValues: marshall({
        ':scope': scopeOf(day),
        ...(after === undefined ? {} : { ':after': after }),
      }),
      ConsistentRead: true,
      Limit: pageItems,
    },
    (item) => parseWritten(StoredTotals, item),
  );
}

function scopeOf({ businessDate, revision }: { businessDate: BusinessDate; revision: number }): string {
  return `settlement#${businessDate}#${revision}`;
}
