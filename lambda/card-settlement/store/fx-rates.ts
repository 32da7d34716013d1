import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import { addDays, type BusinessDate } from '../domain/business-date.ts';
import { keepsAll, type FxRates } from '../domain/fx.ts';

const SCOPE = 'fx-rates';
const keys = tables.businessDays;
/** A date without rates takes the latest of this many dates before. */
const CARRY_DAYS = 7;

const StoredRates = v.object({
  base: v.string(),
  source: v.string(),
  rateDate: v.string(),
  rates: v.record(v.string(), v.string()),
  rateCount: v.number(),
  frozenAt: v.exactOptional(v.string()),
});

export function ratesTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);

  const put = async (
    businessDate: BusinessDate,
    rates: FxRates & { readonly frozenAt?: string },
    condition: string,
  ): Promise<boolean> =>
    table.put(
      { ...rates, rateCount: Object.keys(rates.rates).length, ...keyOf(businessDate) },
      { ConditionExpression: condition },
    );

  async function add(businessDate: BusinessDate, { rates }: FxRates, before: number): Promise<boolean> {
    const added = await table.update(keyOf(businessDate), {
      UpdateExpression: 'SET rates = :rates, rateCount = :count',
      ConditionExpression: 'rateCount = :before',
      values: { ':rates': rates, ':count': Object.keys(rates).length, ':before': before },
    });
    return added !== undefined;
  }

  const find = async (businessDate: BusinessDate): Promise<FxRates | undefined> =>
    table.getLast(
      {
        KeyConditionExpression: `${keys.partitionKey} = :scope AND ${keys.sortKey} BETWEEN :from AND :to`,
        values: { ':scope': SCOPE, ':from': addDays(businessDate, -CARRY_DAYS), ':to': businessDate },
      },
      StoredRates,
    );

  return {
    /**
     * Frozen rates take only more currencies. A repeated request counts as recorded, because the earlier answer may
     * have been lost.
     */
    record: async (businessDate: BusinessDate, rates: FxRates): Promise<'recorded' | 'frozen'> => {
      if (await put(businessDate, rates, 'attribute_not_exists(frozenAt)')) return 'recorded';
      const rateCount = Object.keys(rates.rates).length;
      // Another request may add currencies meanwhile, perhaps the very same ones.
      for (let attempt = 0; attempt < 3; attempt++) {
        const standing = await table.get(keyOf(businessDate), StoredRates);
        if (standing === undefined || !keepsAll(standing, rates)) return 'frozen';
        if (standing.rateCount === rateCount) return 'recorded';
        if (await add(businessDate, rates, standing.rateCount)) return 'recorded';
      }
      return 'frozen';
    },

    /** A date's own rates, or the latest of the seven dates before. */
    find,

    /** Marks the item that `record` writes: no write can come between. A date without rates copies earlier ones. */
    freeze: async (businessDate: BusinessDate, now: Date): Promise<FxRates | undefined> => {
      const own = await table.get(keyOf(businessDate), StoredRates);
      if (own?.frozenAt !== undefined) return own;
      const frozenAt = now.toISOString();
      if (own === undefined) {
        const earlier = await find(businessDate);
        if (earlier === undefined) return undefined;
        const { base, source, rateDate, rates } = earlier;
        const carried = { base, source, rateDate, rates };
        const isNew = `attribute_not_exists(${keys.partitionKey})`;
        if (await put(businessDate, { ...carried, frozenAt }, isNew)) return carried;
      }
      // Rates are never deleted, and these are what the first freeze froze.
      const item = await table.update(keyOf(businessDate), {
        UpdateExpression: 'SET frozenAt = if_not_exists(frozenAt, :now)',
        ConditionExpression: `attribute_exists(${keys.partitionKey})`,
        values: { ':now': frozenAt },
        ReturnValues: 'ALL_NEW',
      });
      return parseWritten(StoredRates, item);
    },
  };
}

export type RatesTable = ReturnType<typeof ratesTable>;

function keyOf(businessDate: BusinessDate) {
  return { [keys.partitionKey]: SCOPE, [keys.sortKey]: businessDate };
}
