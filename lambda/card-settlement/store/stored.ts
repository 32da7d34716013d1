import * as v from 'valibot';

/** An integer as DynamoDB gives it back: a number while it is safe, a bigint beyond. */
export const StoredInteger = v.pipe(
  v.union([v.number(), v.bigint()]),
  v.transform((value) => BigInt(value)),
);

/** An integer of any size, as decimal text. */
export const StoredIntegerText = v.pipe(
  v.string(),
  v.regex(/^-?\d+$/),
  v.transform((value) => BigInt(value)),
);

/** Tables have `transactionId` and `type` where the app says `factId` and `kind`. */
export function withFactNames<T extends { readonly transactionId: string; readonly type: unknown }>({
  transactionId: factId,
  type: kind,
  ...rest
}: T): Omit<T, 'transactionId' | 'type'> & { factId: string; kind: T['type'] } {
  return { ...rest, factId, kind };
}
