import { currencyExponent } from '../money.ts';
import type { Transaction } from '../transaction.ts';

/** Amounts up to 2.00 are what stolen cards are tried with. */
const SMALL_AMOUNT_MAJOR_UNITS = 2;

/**
 * True for a sale of at most 2.00 of its own currency. Intake, which knows no rates, marks these for the rule that counts
 * cards at a terminal.
 */
export function isSmallSale(transaction: Pick<Transaction, 'type' | 'amount' | 'currency'>): boolean {
  const exponent = currencyExponent(transaction.currency) ?? 0;
  return transaction.type === 'sale' && transaction.amount <= SMALL_AMOUNT_MAJOR_UNITS * 10 ** exponent;
}
