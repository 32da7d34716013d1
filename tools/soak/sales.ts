import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import type { Random } from '../harness/random.ts';

export interface KnownSale {
  readonly transactionId: string;
  readonly transaction: Transaction;
}

/** Half of the merchants have none: they settle in the currency of the sale, without a fee. */
export const merchantProfiles = [
  { merchantId: 'mer_usd', settlementCurrency: 'USD', feeBasisPoints: 140, feeFixedMinor: 10 },
  { merchantId: 'mer_eur', settlementCurrency: 'EUR', feeBasisPoints: 95, feeFixedMinor: 5 },
  { merchantId: 'mer_jpy', settlementCurrency: 'JPY', feeBasisPoints: 250, feeFixedMinor: 0 },
] as const;
const MERCHANT_IDS = [...merchantProfiles.map(({ merchantId }) => merchantId), 'mer_a', 'mer_b', 'mer_c'];
const TERMINALS_PER_MERCHANT = 2;
/** Minor units. */
const PRICES = [
  { currency: 'USD', range: [300, 9000] },
  { currency: 'EUR', range: [300, 9000] },
  { currency: 'GBP', range: [300, 9000] },
  { currency: 'JPY', range: [400, 12_000] },
  { currency: 'KWD', range: [900, 25_000] },
] as const;
const MERCHANT_CATEGORY_CODES = ['5411', '5812', '5541', '7995'];

const REFUND_RATE = 0.06;
const REVERSAL_RATE = 0.08;
/** The same purchase under another key, which the duplicate rule holds. */
const DUPLICATE_RATE = 0.1;
const KNOWN_CARD_RATE = 0.1;
const OPEN_SHARE = 0.4;
const HOUR_MILLISECONDS = 3_600_000;

export function createSales({
  random,
  pastDates,
  prefix,
}: {
  readonly random: Random;
  readonly pastDates: readonly string[];
  readonly prefix: string;
}) {
  let number = 0;
  let last: Transaction | undefined;

  const occurredAt = (now: Date): string => {
    if (pastDates.length === 0 || random.chance(OPEN_SHARE)) return now.toISOString();
    // From 06:00 to 18:00 UTC the business date is the calendar's date.
    const noon = Date.parse(`${random.pick(pastDates)}T12:00:00Z`);
    return new Date(noon + Math.round((random.next() - 0.5) * 12 * HOUR_MILLISECONDS)).toISOString();
  };

  const purchase = (now: Date): Transaction => {
    const { currency, range } = random.pick(PRICES);
    const merchantId = random.pick(MERCHANT_IDS);
    return {
      merchantId,
      terminalId: `${merchantId}-${random.whole(1, TERMINALS_PER_MERCHANT)}`,
      type: 'sale',
      cardToken: `tok_${random.chance(KNOWN_CARD_RATE) ? random.whole(1, 200) : `${prefix}_${number}`}`,
      amount: random.whole(range[0], range[1]),
      currency,
      merchantCategoryCode: random.pick(MERCHANT_CATEGORY_CODES),
      occurredAt: occurredAt(now),
    };
  };

  const choose = (now: Date, recent: readonly KnownSale[]): Transaction => {
    if (last !== undefined && random.chance(DUPLICATE_RATE)) {
      const again = Date.parse(last.occurredAt) + 1000 * random.whole(0, 60);
      return { ...last, occurredAt: new Date(Math.min(again, now.getTime())).toISOString() };
    }
    if (recent.length > 0 && random.chance(REVERSAL_RATE)) {
      const { transactionId, transaction } = random.pick(recent);
      return { ...transaction, type: 'reversal', originalTransactionId: transactionId };
    }
    if (!random.chance(REFUND_RATE)) return purchase(now);
    const namesSale = recent.length > 0 && random.chance(0.5);
    return {
      ...purchase(now),
      type: 'refund',
      ...(namesSale && { originalTransactionId: random.pick(recent).transactionId }),
    };
  };

  return {
    /** @param recent accepted sales; the latest may not be settled yet */
    next: (now: Date, recent: readonly KnownSale[]) => {
      number += 1;
      const transaction = choose(now, recent);
      if (transaction.type === 'sale') last = transaction;
      return { key: `${prefix}-${number}`, transaction };
    },
  };
}
