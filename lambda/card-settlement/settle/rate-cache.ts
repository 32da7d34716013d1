import type { BusinessDate } from '../domain/business-date.ts';
import { hasRate, type FxRates } from '../domain/fx.ts';

/** This call freezes a date's rates, at the latest. Undefined if there are none. */
export type RatesOf = (
  businessDate: BusinessDate,
  currencies: readonly string[],
) => Promise<FxRates | undefined>;

const CACHED_DATES = 100;

export function createRateCache(
  freeze: (businessDate: BusinessDate) => Promise<FxRates | undefined>,
): RatesOf {
  const cache = new Map<BusinessDate, Promise<FxRates | undefined>>();
  return async (businessDate, currencies) => {
    const known = cache.get(businessDate);
    if (known !== undefined) {
      // A failed read fails only its own caller.
      const rates = await known.catch(() => undefined);
      if (rates !== undefined && currencies.every((currency) => hasRate(rates, currency))) return rates;
    }
    const asked = freeze(businessDate);
    if (cache.size >= CACHED_DATES) cache.clear();
    cache.set(businessDate, asked);
    return asked;
  };
}
