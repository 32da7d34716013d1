import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { DAY_SCOPE, dayKey, parseDay } from './day-record.ts';

const keys = tables.businessDays;

export interface DayRange {
  readonly from?: BusinessDate;
  readonly to?: BusinessDate;
  readonly newestFirst: boolean;
}

export function daysTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.businessDaysTable),
) {
  const table = itemTable(client, name);

  async function read(businessDate: BusinessDate): Promise<BusinessDay | undefined> {
    const item = await table.get(dayKey(businessDate), v.unknown());
    return item === undefined ? undefined : parseDay(item);
  }

  return {
    read,

    /** Before a day's first transaction, so that the schedule knows of it. */
    begin: async (businessDate: BusinessDate, now: Date): Promise<'begun' | 'exists'> => {
      const isNew = await table.put(
        { ...dayKey(businessDate), revision: 1, firstStagedAt: now.toISOString() },
        { ConditionExpression: `attribute_not_exists(${keys.partitionKey})` },
      );
      return isNew ? 'begun' : 'exists';
    },

    pagesOf: ({ from = '0000-00-00', to = '9999-99-99', newestFirst }: DayRange, pageItems: number) =>
      table.pages(
        {
          KeyConditionExpression: `${keys.partitionKey} = :scope AND ${keys.sortKey} BETWEEN :from AND :to`,
          values: { ':scope': DAY_SCOPE, ':from': from, ':to': to },
          ConsistentRead: true,
          ScanIndexForward: !newestFirst,
          Limit: pageItems,
        },
        parseDay,
      ),

    /** Blocks a day until a run finds the rates. Reading first saves writes when a million facts wait. */
    markRatesMissing: async (
      businessDate: BusinessDate,
      currencies: readonly string[],
    ): Promise<'marked' | 'known'> => {
      if ((await read(businessDate))?.status === 'blocked') return 'known';
      const marked = await table.update(dayKey(businessDate), {
        UpdateExpression: 'SET ratesMissing = :currencies',
        // A late duplicate must not block a balanced day.
        ConditionExpression:
          'attribute_exists(revision) AND attribute_not_exists(ratesMissing) AND attribute_not_exists(balancedAt)',
        values: { ':currencies': currencies },
      });
      return marked === undefined ? 'known' : 'marked';
    },
  };
}

export type DaysTable = ReturnType<typeof daysTable>;
