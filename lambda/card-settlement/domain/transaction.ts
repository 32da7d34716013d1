import * as v from 'valibot';
import { businessDateOf, type BusinessCalendar, type BusinessDate } from './business-date.ts';
import { IDENTIFIER } from './identifiers.ts';
import { parseInstant } from './instant.ts';
import { isMerchantCategoryCode } from './merchant-category-code.ts';
import { isQuotedCurrency } from './money.ts';

const AMOUNT_LIMIT = 10 ** 12;

export const Identifier = v.pipe(
  v.string(),
  v.regex(IDENTIFIER, 'must be 1 to 64 of A-Z, a-z, 0-9, _ and -'),
);

export const CurrencyCode = v.pipe(
  v.string(),
  v.check(isQuotedCurrency, 'must be an ISO 4217 code of a currency that markets quote'),
);

export const CountryCode = v.pipe(
  v.string(),
  v.regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 country code'),
);

/** Closer to 0 is no place on earth, and such numbers are hard to store. */
const SMALLEST_DEGREES = 1e-100;

function degrees(limit: number) {
  return v.pipe(
    v.number(),
    v.minValue(-limit, `must be from -${limit} to ${limit}`),
    v.maxValue(limit, `must be from -${limit} to ${limit}`),
    v.check(
      (angle) => angle === 0 || Math.abs(angle) >= SMALLEST_DEGREES,
      `must be 0, or not nearer to it than ${SMALLEST_DEGREES}`,
    ),
  );
}

export const Transaction = v.strictObject({
  merchantId: Identifier,
  terminalId: Identifier,
  type: v.picklist(['sale', 'refund', 'reversal'], 'must be sale, refund or reversal'),
  /** Stands for the card; never its number. */
  cardToken: Identifier,
  amount: v.pipe(
    v.number(),
    v.check(
      (amount) => Number.isInteger(amount) && amount > 0 && amount <= AMOUNT_LIMIT,
      'must be a whole number of minor units from 1 to 1,000,000,000,000',
    ),
  ),
  currency: CurrencyCode,
  /** ISO 18245. */
  merchantCategoryCode: v.pipe(
    v.string(),
    v.check(isMerchantCategoryCode, 'must be an ISO 18245 merchant category code'),
  ),
  /** RFC 3339; its offset is kept. */
  occurredAt: v.pipe(
    v.string(),
    v.maxLength(40, 'must be an RFC 3339 date-time that exists'),
    v.check((text) => parseInstant(text) !== undefined, 'must be an RFC 3339 date-time that exists'),
  ),
  merchantCountry: v.exactOptional(CountryCode),
  /** Only if the card was present. */
  location: v.exactOptional(v.strictObject({ latitude: degrees(90), longitude: degrees(180) })),
  /** The sale that a reversal undoes, or a refund pays back. */
  originalTransactionId: v.exactOptional(Identifier),
});
export type Transaction = v.InferOutput<typeof Transaction>;

export function instantOf({ occurredAt }: Pick<Transaction, 'occurredAt'>): Date {
  const instant = parseInstant(occurredAt);
  if (instant === undefined) throw new RangeError('occurredAt is no RFC 3339 date-time that exists');
  return instant;
}

export interface Refusal {
  readonly type: 'occurred-at-in-future' | 'occurred-at-too-old';
  readonly detail: string;
}

const FUTURE_LIMIT_MINUTES = 5;
export const AGE_LIMIT_DAYS = 30;

export function dateTransaction(
  transaction: Transaction,
  now: Date,
  calendar: BusinessCalendar,
): { readonly refusal: Refusal } | { readonly occurredAt: Date; readonly businessDate: BusinessDate } {
  const occurredAt = instantOf(transaction);
  const ageMilliseconds = now.getTime() - occurredAt.getTime();
  if (ageMilliseconds < -FUTURE_LIMIT_MINUTES * 60_000) {
    return {
      refusal: {
        type: 'occurred-at-in-future',
        detail: `occurredAt may be at most ${FUTURE_LIMIT_MINUTES} minutes ahead of the clock here.`,
      },
    };
  }
  if (ageMilliseconds > AGE_LIMIT_DAYS * 86_400_000) {
    return {
      refusal: {
        type: 'occurred-at-too-old',
        detail: `occurredAt may be at most ${AGE_LIMIT_DAYS} days ago.`,
      },
    };
  }
  return { occurredAt, businessDate: businessDateOf(occurredAt, calendar) };
}

export const FACT_KINDS = [...Transaction.entries.type.options, 'release', 'reject'] as const;
export type FactKind = (typeof FACT_KINDS)[number];

export function isReviewKind(kind: FactKind): kind is 'release' | 'reject' {
  return kind === 'release' || kind === 'reject';
}

/** Positive for sales, negative for refunds and reversals. A release or rejection has its original's sign. */
export function signedAmount(fact: {
  readonly kind: FactKind;
  readonly originalKind?: Transaction['type'] | undefined;
  readonly amount: number;
}): bigint {
  const kind = isReviewKind(fact.kind) ? fact.originalKind : fact.kind;
  return kind === 'sale' ? BigInt(fact.amount) : -BigInt(fact.amount);
}
