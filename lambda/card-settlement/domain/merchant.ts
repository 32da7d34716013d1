import * as v from 'valibot';
import { CountryCode, CurrencyCode } from './transaction.ts';

export const MerchantProfile = v.strictObject({
  name: v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(200, 'must be at most 200 characters'),
  ),
  country: CountryCode,
  settlementCurrency: CurrencyCode,
  /** Hundredths of a percent of a sale's gross amount. */
  feeBasisPoints: v.pipe(v.number(), v.check(wholeUpTo(10_000), 'must be a whole number from 0 to 10,000')),
  /** Per sale, in the settlement currency's minor unit. */
  feeFixedMinor: v.pipe(
    v.number(),
    v.check(wholeUpTo(1_000_000), 'must be a whole number from 0 to 1,000,000'),
  ),
});
export type MerchantProfile = v.InferOutput<typeof MerchantProfile>;

/** A merchant's first profile applies to every date. */
export const FIRST_EFFECTIVE_DATE = '0000-00-00';

export function sameProfile(a: MerchantProfile, b: MerchantProfile): boolean {
  return (
    a.name === b.name &&
    a.country === b.country &&
    a.settlementCurrency === b.settlementCurrency &&
    a.feeBasisPoints === b.feeBasisPoints &&
    a.feeFixedMinor === b.feeFixedMinor
  );
}

function wholeUpTo(limit: number): (value: number) => boolean {
  return (value) => Number.isInteger(value) && value >= 0 && value <= limit;
}
