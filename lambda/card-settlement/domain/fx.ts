import * as v from 'valibot';
import { CalendarDate } from './business-date.ts';
import { currencyExponent, parseDecimal, type Ratio } from './money.ts';

const RATE_LIMIT = 300;

/** Published rates include metals and units of account, in which nothing is settled. */
export const RateCurrency = v.pipe(
  v.string(),
  v.check((code) => currencyExponent(code) !== undefined, 'must be an ISO 4217 currency code'),
);

/** One unit of `base` is worth `rates[currency]` units of each currency. */
export const FxRates = v.strictObject({
  base: RateCurrency,
  source: v.pipe(
    v.string(),
    v.minLength(1, 'must not be empty'),
    v.maxLength(200, 'must be at most 200 characters'),
  ),
  /** May be earlier than the business date that uses them. */
  rateDate: CalendarDate,
  rates: v.pipe(
    v.custom<Record<string, string>>(keepsItsNames, 'must name ISO 4217 currencies only'),
    v.record(
      RateCurrency,
      v.pipe(
        v.string(),
        v.check(
          (text) => parseDecimal(text) !== undefined,
          'must be plain decimal text above 0, at most 12 digits before and after the point',
        ),
      ),
    ),
    v.check((rates) => Object.keys(rates).length > 0, 'must name at least one currency'),
    v.check((rates) => Object.keys(rates).length <= RATE_LIMIT, `must name at most ${RATE_LIMIT} currencies`),
  ),
});
export type FxRates = v.InferOutput<typeof FxRates>;

export function crossRate(rates: FxRates, from: string, to: string): Ratio | undefined {
  const fromPerBase = perBase(rates, from);
  const toPerBase = perBase(rates, to);
  if (fromPerBase === undefined || toPerBase === undefined) return undefined;
  return {
    numerator: toPerBase.numerator * fromPerBase.denominator,
    denominator: toPerBase.denominator * fromPerBase.numerator,
  };
}

export function hasRate(rates: FxRates, currency: string): boolean {
  return currency === rates.base || Object.hasOwn(rates.rates, currency);
}

function perBase(rates: FxRates, currency: string): Ratio | undefined {
  if (currency === rates.base) return { numerator: 1n, denominator: 1n };
  const text = Object.hasOwn(rates.rates, currency) ? rates.rates[currency] : undefined;
  return text === undefined ? undefined : parseDecimal(text);
}

/** `v.record` drops these names silently, but unknown names must be refused. */
const NAMES_LEFT_OUT = ['__proto__', 'prototype', 'constructor'];

function keepsItsNames(value: unknown): boolean {
  return (
    typeof value !== 'object' || value === null || !NAMES_LEFT_OUT.some((name) => Object.hasOwn(value, name))
  );
}

export function keepsAll(standing: FxRates, proposed: FxRates): boolean {
  return (
    proposed.base === standing.base &&
    proposed.source === standing.source &&
    proposed.rateDate === standing.rateDate &&
    Object.entries(standing.rates).every(([currency, rate]) => proposed.rates[currency] === rate)
  );
}
