import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import type { MerchantTotals } from '../domain/totals.ts';
import { StoredMerchantTotals } from './stored.ts';

const keys = tables.businessDays;

type DayRevision = Pick<BusinessDay, 'businessDate' | 'revision'>;

/** In the table of business days. Totals belong to a day's revision, and are read once the day is balanced at it. */
export function merchantTotalsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);
  return {
    /** At most 25. Needs no condition: every run computes the same totals of a sealed day. */
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

    /** @param after the last `<merchantId>#<currency>` read */
    pagesOf: (
      day: DayRevision,
      after: string | undefined,
      pageItems: number,
    ): AsyncIterable<readonly MerchantTotals[]> =>
      table.pages(
        {
          KeyConditionExpression: `${keys.partitionKey} = :scope AND ${keys.sortKey} > :after`,
          values: { ':scope': scopeOf(day), ':after': after ?? ' ' },
          ConsistentRead: true,
          Limit: pageItems,
        },
        (item) => parseWritten(StoredMerchantTotals, item),
      ),
  };
}

export type MerchantTotalsTable = ReturnType<typeof merchantTotalsTable>;

function scopeOf({ businessDate, revision }: DayRevision): string {
  return `settlement#${businessDate}#${revision}`;
}
