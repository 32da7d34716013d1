import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, marshalled, projection } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import { mergePages, mergeSorted, type Pages } from '../domain/merge-join.ts';
import { ENTRY_STATUSES, type LedgerEntry } from '../domain/settlement.ts';
import type { LedgerSummary } from '../domain/totals.ts';
import { FACT_KINDS } from '../domain/transaction.ts';
import { partitionOf, partitionsOf } from './keys.ts';
import { StoredInteger, withFactNames } from './stored.ts';

const keys = tables.ledger;
const PAGE_ITEMS = 100;

const Status = v.picklist(ENTRY_STATUSES);

const summaryEntries = {
  transactionId: v.string(),
  merchantId: v.string(),
  status: Status,
  type: v.picklist(FACT_KINDS),
  movesFrom: v.exactOptional(Status),
  amount: StoredInteger,
  currency: v.string(),
  settlementCurrency: v.string(),
  gross: StoredInteger,
  fee: StoredInteger,
  net: StoredInteger,
};

const entryEntries = {
  ...summaryEntries,
  businessDate: v.string(),
  conversion: v.exactOptional(
    v.object({
      base: v.string(),
      source: v.string(),
      rateDate: v.string(),
      fromRate: v.string(),
      toRate: v.string(),
    }),
  ),
  withoutProfile: v.boolean(),
  score: v.number(),
  rules: v.array(
    v.object({
      rule: v.string(),
      score: v.number(),
      inputs: v.record(v.string(), v.union([v.string(), v.number()])),
    }),
  ),
  settledAt: v.string(),
};

const StoredSummary = v.pipe(v.object(summaryEntries), v.transform(withFactNames));
const StoredEntry = v.pipe(v.object(entryEntries), v.transform(withFactNames));

export interface WrittenEntry extends Omit<LedgerEntry, 'requestId'> {
  readonly settledAt: string;
}

const summaryAttributes = Object.keys(summaryEntries);

const entryAttributes = Object.keys(entryEntries);

export type EntryKey = Pick<LedgerEntry, 'businessDate' | 'merchantId' | 'factId'>;

export type LedgerRange = { readonly after: string } | { readonly from: string; readonly to: string };

/** Every merchant sorts after a space. */
const FIRST = ' ';

/** Entries of a date come in the order of `sortKeyOf`, page by page, so memory stays constant. */
export function ledgerTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.ledgerTable),
) {
  const table = itemTable(client, name);

  const partitionPages = <T>(
    businessDate: BusinessDate,
    range: LedgerRange,
    attributes: readonly string[],
    parse: (item: unknown) => T,
    { pageItems = PAGE_ITEMS, index }: { pageItems?: number; index?: typeof keys.byHeld } = {},
  ): Pages<T>[] => {
    const { expression, names } = projection(attributes);
    return partitionsOf(businessDate).map((partition) =>
      table.pages(
        {
          // Indexes cannot be read consistently.
          ...(index === undefined ? { ConsistentRead: true } : { IndexName: index.name }),
          KeyConditionExpression: `${(index ?? keys).partitionKey} = :partition AND ${keys.sortKey} ${conditionOf(range)}`,
          ProjectionExpression: expression,
          ExpressionAttributeNames: names,
          values: { ':partition': partition, ...valuesOf(range) },
          Limit: pageItems,
        },
        parse,
      ),
    );
  };

  return {
    /** The first writer wins. Costs one write unit, two if held. */
    put: async (entry: LedgerEntry, settledAt: Date): Promise<'written' | 'exists'> => {
      const isNew = await table.put(itemOf(entry, settledAt), {
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      });
      return isNew ? 'written' : 'exists';
    },

    get: async ({ businessDate, merchantId, factId }: EntryKey): Promise<WrittenEntry | undefined> =>
      table.get(
        {
          [keys.partitionKey]: partitionOf(businessDate, factId),
          [keys.sortKey]: sortKeyOf({ merchantId, factId }),
        },
        StoredEntry,
      ),

    pagesOf: (businessDate: BusinessDate, after = FIRST): Pages<LedgerSummary> =>
      mergePages(partitionPages(businessDate, { after }, summaryAttributes, parseSummary), sortKeyOf),

    summariesOf: (
      businessDate: BusinessDate,
      range: LedgerRange = { after: FIRST },
    ): AsyncIterable<LedgerSummary> =>
      mergeSorted(partitionPages(businessDate, range, summaryAttributes, parseSummary), sortKeyOf),

    entriesOf: (businessDate: BusinessDate, range: LedgerRange, limit: number): AsyncIterable<WrittenEntry> =>
      mergeSorted(
        partitionPages(businessDate, range, entryAttributes, parseEntry, { pageItems: limit }),
        sortKeyOf,
      ),

    /** The index lags a little behind the table. */
    heldOf: (businessDate: BusinessDate, after = FIRST): AsyncIterable<WrittenEntry> => {
      const index = keys.byHeld;
      return mergeSorted(
        partitionPages(businessDate, { after }, entryAttributes, parseEntry, { index }),
        sortKeyOf,
      );
    },
  };
}

export type LedgerTable = ReturnType<typeof ledgerTable>;

export function ledgerItem(entry: LedgerEntry, settledAt: Date) {
  return marshalled(itemOf(entry, settledAt));
}

function itemOf(entry: LedgerEntry, settledAt: Date) {
  const partition = partitionOf(entry.businessDate, entry.factId);
  const { factId: transactionId, kind: type, ...rest } = entry;
  return {
    ...rest,
    transactionId,
    type,
    [keys.partitionKey]: partition,
    [keys.sortKey]: sortKeyOf(entry),
    ...(entry.status === 'held' ? { [keys.byHeld.partitionKey]: partition } : {}),
    settledAt: settledAt.toISOString(),
  };
}

function parseSummary(item: unknown): LedgerSummary {
  return parseWritten(StoredSummary, item);
}

function parseEntry(item: unknown): WrittenEntry {
  return parseWritten(StoredEntry, item);
}

function conditionOf(range: LedgerRange): string {
  return 'after' in range ? '> :after' : 'BETWEEN :from AND :to';
}

function valuesOf(range: LedgerRange) {
  return 'after' in range ? { ':after': range.after } : { ':from': range.from, ':to': range.to };
}
