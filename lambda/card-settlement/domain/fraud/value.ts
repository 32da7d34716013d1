import { crossRate, type FxRates } from '../fx.ts';
import { currencyExponent, divideHalfEven, type Ratio } from '../money.ts';

export const COMPARED_IN = 'USD';

/** In cents of USD, exactly; undefined without a rate. */
export function centsPerMinorUnit(currency: string, rates: FxRates | undefined): Ratio | undefined {
  if (currency === COMPARED_IN) return { numerator: 1n, denominator: 1n };
  const rate = rates === undefined ? undefined : crossRate(rates, currency, COMPARED_IN);
  const exponent = currencyExponent(currency);
  if (rate === undefined || exponent === undefined) return undefined;
  return { numerator: rate.numerator * 100n, denominator: rate.denominator * 10n ** BigInt(exponent) };
}

export function times(ratio: Ratio, factor: bigint): Ratio {
  return { numerator: ratio.numerator * factor, denominator: ratio.denominator };
}

export function plus(one: Ratio, other: Ratio): Ratio {
  return {
    numerator: one.numerator * other.denominator + other.numerator * one.denominator,
    denominator: one.denominator * other.denominator,
  };
}

export function isMoreThan(one: Ratio, other: Ratio): boolean {
  return one.numerator * other.denominator > other.numerator * one.denominator;
}

/** Rounds half to even: `312.40`. @param minorUnits positive */
export function decimalText(minorUnits: Ratio, currency: string): string {
  const exponent = currencyExponent(currency) ?? 0;
  const digits = String(divideHalfEven(minorUnits.numerator, minorUnits.denominator)).padStart(
    exponent + 1,
    '0',
  );
  const point = digits.length - exponent;
  return exponent === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}
