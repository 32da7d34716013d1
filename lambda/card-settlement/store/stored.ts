import * as v from 'valibot';
import { eachSide } from '../domain/totals.ts';
import { Transaction } from '../domain/transaction.ts';

/** Some attributes are numbers, which DynamoDB gives as bigints if they are unsafe, and some are decimal text. */
export const StoredInteger = v.pipe(
  v.union([v.number(), v.bigint(), v.pipe(v.string(), v.regex(/^-?\d+$/))]),
  v.transform((value) => BigInt(value)),
);

const NOTHING = { count: 0, amount: 0 };
const StoredSide = v.optional(v.object({ count: v.number(), amount: StoredInteger }), NOTHING);

export const StoredTotals = v.record(v.string(), v.object(eachSide(() => StoredSide)));

export const StoredLines = v.array(
  v.object({
    type: Transaction.entries.type,
    currency: v.string(),
    count: v.number(),
    amount: StoredInteger,
  }),
);

export const StoredMerchantTotals = v.object({
  merchantId: v.string(),
  currency: v.string(),
  count: v.number(),
  gross: StoredInteger,
  fees: StoredInteger,
  net: StoredInteger,
});

/** Tables say `transactionId` and `type` where the app says `factId` and `kind`. */
export function withFactNames<T extends { readonly transactionId: string; readonly type: unknown }>({
  transactionId: factId,
  type: kind,
  ...rest
}: T): Omit<T, 'transactionId' | 'type'> & { factId: string; kind: T['type'] } {
  return { ...rest, factId, kind };
}
