import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import type { MerchantTotals } from '../domain/totals.ts';
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

type DayRevision = Pick<BusinessDay, 'businessDate' | 'revision'>;

/**
 * What merchants get, in the table of business days, under the revision of the day that they belong to: readers see a
 * revision once the day is balanced at it.
 */
export function merchantTotalsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);
  return {
    /**
     * Writes at most 25 totals. Whoever computes them, from a sealed day without a gap, computes the same: no condition
     * is needed.
     */
    write: async (day: DayRevision, totals: readonly MerchantTotals[]): Promise<void> =>
      table.putMany(
        totals.map(({ merchantId, currency, count, gross, fees, net }) => ({
          [keys.partitionKey]: scopeOf(day),
          [keys.sortKey]: `${merchantId}#${currency}`,
          merchantId,
          currency,
          count,
          gross: String(gross),
          fees: String(fees),
          net: String(net),
        })),
      ),

    /** Totals by merchant and currency, page by page. @param after the last `<merchantId>#<currency>` read */
    pagesOf: (
      day: DayRevision,
      after: string | undefined,
      pageItems: number,
    ): AsyncIterable<readonly MerchantTotals[]> =>
      table.pages(
        {
          KeyConditionExpression: `#scope = :scope${after === undefined ? '' : ' AND #item > :after'}`,
          ExpressionAttributeNames: {
            '#scope': keys.partitionKey,
            ...(after === undefined ? {} : { '#item': keys.sortKey }),
          },
          values: { ':scope': scopeOf(day), ...(after === undefined ? {} : { ':after': after }) },
          ConsistentRead: true,
          Limit: pageItems,
        },
        (item) => parseWritten(StoredTotals, item),
      ),
  };
}

export type MerchantTotalsTable = ReturnType<typeof merchantTotalsTable>;

function scopeOf({ businessDate, revision }: DayRevision): string {
  return `settlement#${businessDate}#${revision}`;
}
