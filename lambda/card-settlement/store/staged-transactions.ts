import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable, marshalled, projection } from '../../shared/item-table.ts';
import { parseWritten } from '../../shared/parse.ts';
import { environmentNames, stagedIndexAttributes, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { isReview, type AnyStagedFact, type StagedReview } from '../domain/decision.ts';
import { isSmallSale } from '../domain/fraud/small-amount.ts';
import { isDecisionId, sortKeyOf, terminalKeyOf } from '../domain/identifiers.ts';
import { mergePages, type Pages } from '../domain/merge-join.ts';
import { STAGED_KEPT_DAYS } from '../domain/retention.ts';
import type { StagedFact } from '../domain/settlement.ts';
import type { StagedSummary } from '../domain/totals.ts';
import { FACT_KINDS, instantOf, Transaction } from '../domain/transaction.ts';
import { occurrenceKeyOf, partitionOf, partitionsOf } from './keys.ts';
import { withFactNames } from './stored.ts';

const keys = tables.stagedTransactions;
/** A small function holds pages of 16 shards of two tables. */
const PAGE_ITEMS = 100;

const StoredFact = v.pipe(
  v.object({
    ...Transaction.entries,
    // Intake may refuse a currency today that it accepted before.
    currency: v.string(),
    transactionId: v.string(),
    clientId: v.string(),
    businessDate: v.string(),
    stagedAt: v.string(),
    bodyDigest: v.string(),
    idempotencyId: v.exactOptional(v.string()),
    requestId: v.exactOptional(v.string()),
  }),
  v.transform(withFactNames),
);

const StoredReview = v.pipe(
  v.object({
    transactionId: v.string(),
    type: v.picklist(['release', 'reject']),
    originalTransactionId: v.string(),
    originalType: Transaction.entries.type,
    originalBusinessDate: v.string(),
    merchantId: v.string(),
    amount: v.number(),
    currency: v.string(),
    businessDate: v.string(),
    stagedAt: v.string(),
    clientId: v.string(),
    reason: v.string(),
    requestId: v.exactOptional(v.string()),
  }),
  v.transform(({ originalType: originalKind, ...review }) => ({ ...withFactNames(review), originalKind })),
);

const AnyStoredFact = v.union([StoredReview, StoredFact]);

const StoredSummary = v.pipe(
  v.object({
    transactionId: v.string(),
    merchantId: v.string(),
    type: v.picklist(FACT_KINDS),
    originalType: v.exactOptional(Transaction.entries.type),
    amount: v.number(),
    currency: v.string(),
    stagedAt: v.string(),
    clientId: v.exactOptional(v.string()),
    terminalId: v.exactOptional(v.string()),
  }),
  v.transform(({ originalType: originalKind, ...summary }) => ({ ...withFactNames(summary), originalKind })),
);

export function stagedTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.stagedTransactionsTable),
) {
  const table = itemTable(client, name);

  return {
    /** Unless its id is taken. Costs one write unit, and one for each index. */
    put: async (fact: AnyStagedFact): Promise<'written' | 'exists'> => {
      const isNew = await table.put(itemOf(fact), {
        ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
      });
      return isNew ? 'written' : 'exists';
    },

    get: async (transactionId: string): Promise<StagedFact | undefined> =>
      table.get({ [keys.partitionKey]: transactionId }, StoredFact),

    getDecision: async (decisionId: string): Promise<AnyStagedFact | undefined> =>
      table.get({ [keys.partitionKey]: decisionId }, AnyStoredFact),

    /** @param factIds at most 100, without repetition */
    getMany: async (factIds: readonly string[]): Promise<ReadonlyMap<string, AnyStagedFact>> => {
      const facts = await table.getMany(
        factIds.map((id) => ({ [keys.partitionKey]: id })),
        AnyStoredFact,
      );
      return new Map(facts.map((fact) => [fact.factId, fact]));
    },

    /** In the order of `sortKeyOf`, page by page, so memory stays constant. */
    pagesOf: (businessDate: BusinessDate, after = ' '): Pages<StagedSummary> => {
      const index = keys.byBusinessDate;
      const { expression, names } = projection([keys.partitionKey, ...stagedIndexAttributes]);
      const pages = partitionsOf(businessDate).map((partition) =>
        table.pages(
          {
            IndexName: index.name,
            KeyConditionExpression: `${index.partitionKey} = :partition AND ${index.sortKey} > :after`,
            ProjectionExpression: expression,
            ExpressionAttributeNames: names,
            // Every merchant sorts after a space.
            values: { ':partition': partition, ':after': after },
            Limit: PAGE_ITEMS,
          },
          (item) => parseWritten(StoredSummary, item),
        ),
      );
      return mergePages(pages, sortKeyOf);
    },
  };
}

export type StagedTable = ReturnType<typeof stagedTable>;

export function stagedItem(fact: AnyStagedFact) {
  return marshalled(itemOf(fact));
}

function itemOf(fact: AnyStagedFact) {
  const { factId, kind, ...rest } = isReview(fact) ? withOriginalType(fact) : fact;
  return {
    ...rest,
    [keys.partitionKey]: factId,
    type: kind,
    [keys.byBusinessDate.partitionKey]: partitionOf(fact.businessDate, factId),
    [keys.byBusinessDate.sortKey]: sortKeyOf(fact),
    // A decision is not a use of the card.
    ...(isReview(fact) || isDecisionId(factId) ? {} : historyKeys(fact)),
    [keys.timeToLive]: Math.floor(Date.parse(fact.stagedAt) / 1000) + STAGED_KEPT_DAYS * 86_400,
  };
}

function withOriginalType({ originalKind: originalType, ...review }: StagedReview) {
  return { ...review, originalType };
}

function historyKeys(fact: StagedFact): Record<string, string> {
  return {
    [keys.byCard.sortKey]: occurrenceKeyOf(instantOf(fact), fact.factId),
    ...(isSmallSale(fact) ? { [keys.bySmallAmount.partitionKey]: terminalKeyOf(fact) } : {}),
  };
}
