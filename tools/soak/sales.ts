import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import type { Random } from './random.ts';

/** A transaction to report, under its idempotency key. */
export interface Report {
  readonly key: string;
  readonly transaction: Transaction;
}

/** A sale that was accepted, and may be reversed or paid back. */
export interface KnownSale {
  readonly transactionId: string;
  readonly transaction: Transaction;
}

/** Profiles of half of the merchants; the others settle in the currency of their sales, without a fee. */
export const merchantProfiles = [
  { merchantId: 'mer_usd', settlementCurrency: 'USD', feeBasisPoints: 140, feeFixedMinor: 10 },
  { merchantId: 'mer_eur', settlementCurrency: 'EUR', feeBasisPoints: 95, feeFixedMinor: 5 },
  { merchantId: 'mer_jpy', settlementCurrency: 'JPY', feeBasisPoints: 250, feeFixedMinor: 0 },
] as const;
const merchantIds = [...merchantProfiles.map(({ merchantId }) => merchantId), 'mer_a', 'mer_b', 'mer_c'];
const TERMINALS_PER_MERCHANT = 2;

/** With what a coffee costs in them, and what a meal does. */
const CURRENCIES = [
  { currency: 'USD', from: 300, to: 9000 },
  { currency: 'EUR', from: 300, to: 9000 },
  { currency: 'GBP', from: 300, to: 9000 },
  { currency: 'JPY', from: 400, to: 12_000 },
  { currency: 'KWD', from: 900, to: 25_000 },
];
const MERCHANT_CATEGORY_CODES = ['5411', '5812', '5541', '7995'];

const REFUND_RATE = 0.06;
const REVERSAL_RATE = 0.08;
/** The same purchase again under another key: what the duplicate rule holds. */
const DUPLICATE_RATE = 0.1;
/** Of the transactions: what happens now; the others lie on the dates before. */
const OPEN_SHARE = 0.4;
const HOUR_MILLISECONDS = 3_600_000;

export interface SalesOptions {
  readonly random: Random;
  /** Past business dates into which transactions are still reported. */
  readonly pastDates: readonly string[];
  /** Begins every key, so that no two runs share one. */
  readonly prefix: string;
}

/** Chooses what happens next at the terminals. */
export function createSales({ random, pastDates, prefix }: SalesOptions): {
  /** @param recent sales that were accepted; the later may not be settled yet */
  readonly next: (now: Date, recent: readonly KnownSale[]) => Report;
} {
  let number = 0;
  let last: Transaction | undefined;

  const occurredAt = (now: Date): string => {
    if (pastDates.length === 0 || random.chance(OPEN_SHARE)) return now.toISOString();
    // Noon UTC, and six hours around it, belong to that very business date.
    const noon = Date.parse(`${random.pick(pastDates)}T12:00:00Z`);
    return new Date(noon + Math.round((random.next() - 0.5) * 12 * HOUR_MILLISECONDS)).toISOString();
  };

  const purchase = (now: Date): Transaction => {
    const { currency, from, to } = random.pick(CURRENCIES);
    const merchantId = random.pick(merchantIds);
    return {
      merchantId,
      terminalId: `${merchantId}-${random.whole(1, TERMINALS_PER_MERCHANT)}`,
      type: 'sale',
      // Cards come back now and then.
      cardToken: `tok_${random.chance(0.1) ? random.whole(1, 200) : `${prefix}_${number}`}`,
      amount: random.whole(from, to),
      currency,
      merchantCategoryCode: random.pick(MERCHANT_CATEGORY_CODES),
      occurredAt: occurredAt(now),
    };
  };

  const choose = (now: Date, recent: readonly KnownSale[]): Transaction => {
    if (last !== undefined && random.chance(DUPLICATE_RATE)) {
      const again = new Date(Date.parse(last.occurredAt) + 1000 * random.whole(0, 60));
      return { ...last, occurredAt: new Date(Math.min(again.getTime(), now.getTime())).toISOString() };
    }
    if (recent.length > 0 && random.chance(REVERSAL_RATE)) {
      const { transactionId, transaction } = random.pick(recent);
      return { ...transaction, type: 'reversal', originalTransactionId: transactionId };
    }
    if (!random.chance(REFUND_RATE)) return purchase(now);
    const named = recent.length > 0 && random.chance(0.5) ? random.pick(recent).transactionId : undefined;
    return {
      ...purchase(now),
      type: 'refund',
      ...(named === undefined ? {} : { originalTransactionId: named }),
    };
  };

  return {
    next: (now, recent) => {
      number += 1;
      const transaction = choose(now, recent);
      if (transaction.type === 'sale') last = transaction;
      return { key: `${prefix}-${number}`, transaction };
    },
  };
}
