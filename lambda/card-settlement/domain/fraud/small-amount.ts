import { currencyExponent } from '../money.ts';
import type { StagedFact } from '../settlement.ts';

/** Thieves try stolen cards with such amounts. */
const SMALL_AMOUNT_MAJOR_UNITS = 2;

/** In the sale's own currency, because intake knows no rates. */
export function isSmallSale(fact: Pick<StagedFact, 'kind' | 'amount' | 'currency'>): boolean {
  const exponent = currencyExponent(fact.currency) ?? 0;
  return fact.kind === 'sale' && fact.amount <= SMALL_AMOUNT_MAJOR_UNITS * 10 ** exponent;
}
