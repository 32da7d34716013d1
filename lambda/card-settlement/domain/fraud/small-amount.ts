import { currencyExponent } from '../money.ts';
import type { StagedFact } from '../settlement.ts';

/** Amounts up to 2.00 are what stolen cards are tried with. */
const SMALL_AMOUNT_MAJOR_UNITS = 2;

/**
 * True for a sale of at most 2.00 of its own currency. Intake, which knows no rates, marks these for the rule that counts
 * cards at a terminal.
 */
export function isSmallSale(fact: Pick<StagedFact, 'kind' | 'amount' | 'currency'>): boolean {
  const exponent = currencyExponent(fact.currency) ?? 0;
  return fact.kind === 'sale' && fact.amount <= SMALL_AMOUNT_MAJOR_UNITS * 10 ** exponent;
}
