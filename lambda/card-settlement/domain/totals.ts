import { movementsOf } from './decision.ts';
import type { Joined } from './merge-join.ts';
import type { EntryStatus, LedgerEntry, StagedFact } from './settlement.ts';
import { isReviewKind, signedAmount, type FactKind, type Transaction } from './transaction.ts';

/** A number of transactions and the sum of their signed amounts, in minor units. */
export interface CountAndAmount {
  readonly count: number;
  readonly amount: bigint;
}

/**
 * What the books say of one currency: staged = settled + held + reversed + rejected, once a day is balanced. A decision
 * moves its original between them; on another date than the original's, a side can be negative by that.
 */
export type ControlTotals = Readonly<Record<'staged' | EntryStatus, CountAndAmount>>;

/** What a merchant gets in one currency for one business date. */
export interface MerchantTotals {
  readonly merchantId: string;
  readonly currency: string;
  readonly count: number;
  readonly gross: bigint;
  readonly fees: bigint;
  readonly net: bigint;
}

/** What reconciling reads of a staged fact. */
export interface StagedSummary extends Pick<
  StagedFact,
  'factId' | 'merchantId' | 'amount' | 'currency' | 'stagedAt'
> {
  readonly kind: FactKind;
  /** Of a release or a rejection. */
  readonly originalKind?: Transaction['type'] | undefined;
  /** The client and the terminal that reported a transaction. */
  readonly clientId?: string | undefined;
  readonly terminalId?: string | undefined;
}

/** What reconciling reads of a ledger entry. */
export type LedgerSummary = Pick<
  LedgerEntry,
  | 'factId'
  | 'merchantId'
  | 'status'
  | 'kind'
  | 'movesFrom'
  | 'amount'
  | 'currency'
  | 'settlementCurrency'
  | 'gross'
  | 'fee'
  | 'net'
>;

const SIDES = ['staged', 'settled', 'held', 'reversed', 'rejected'] as const;
const NOTHING: CountAndAmount = { count: 0, amount: 0n };
const NO_TOTALS: ControlTotals = {
  staged: NOTHING,
  settled: NOTHING,
  held: NOTHING,
  reversed: NOTHING,
  rejected: NOTHING,
};

/**
 * Adds up, per currency of the transactions, both sides of the join of what was staged and what the ledger holds.
 *
 * @param before what an earlier part of the walk has added up
 */
export function createControlTotals(before: Readonly<Record<string, ControlTotals>> = {}): {
  readonly add: (pair: Joined<StagedSummary, LedgerSummary>) => void;
  readonly totals: () => Readonly<Record<string, ControlTotals>>;
} {
  const byCurrency = new Map(Object.entries(before).map(([currency, totals]) => [currency, copyOf(totals)]));
  function plus(currency: string, side: 'staged' | EntryStatus, count: number, amount: bigint): void {
    let totals = byCurrency.get(currency);
    if (totals === undefined) byCurrency.set(currency, (totals = copyOf(NO_TOTALS)));
    totals[side].count += count;
    totals[side].amount += amount;
  }
  return {
    add: ({ left, right }) => {
      // A release or a rejection stages nothing: it only moves what was staged before.
      if (left !== undefined && !isReviewKind(left.kind))
        plus(left.currency, 'staged', 1, signedAmount(left));
      if (right === undefined) return;
      for (const { status, count, factor } of movementsOf(right))
        plus(right.currency, status, count, factor * right.amount);
    },
    totals: () =>
      Object.fromEntries(
        [...byCurrency]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([currency, totals]) => [currency, copyOf(totals)]),
      ),
  };
}

function copyOf({ staged, settled, held, reversed, rejected }: ControlTotals) {
  return {
    staged: { ...staged },
    settled: { ...settled },
    held: { ...held },
    reversed: { ...reversed },
    rejected: { ...rejected },
  };
}

/** True if, per currency, what was staged equals what the ledger holds, in count and amount. */
export function conserved(totals: Readonly<Record<string, ControlTotals>>): boolean {
  return Object.values(totals).every(({ staged, settled, held, reversed, rejected }) => {
    const parts = [settled, held, reversed, rejected];
    return (
      staged.count === parts.reduce((sum, part) => sum + part.count, 0) &&
      staged.amount === parts.reduce((sum, part) => sum + part.amount, 0n)
    );
  });
}

/** True if both say the same of every currency. */
export function sameTotals(
  some: Readonly<Record<string, ControlTotals>>,
  others: Readonly<Record<string, ControlTotals>>,
): boolean {
  const currencies = new Set([...Object.keys(some), ...Object.keys(others)]);
  return [...currencies].every((currency) => {
    const [one, other] = [some[currency] ?? NO_TOTALS, others[currency] ?? NO_TOTALS];
    return SIDES.every(
      (side) => one[side].count === other[side].count && one[side].amount === other[side].amount,
    );
  });
}

/**
 * Adds up what merchants get, one merchant after the other: entries must come sorted by merchant. `add` gives the
 * totals of the merchant before, one per currency in order, when it sees the next; `end` those of the last. Held and
 * rejected transactions are no part of a settlement; a sale and its reversal are, and come to nothing.
 *
 * @param begun what `end` gave of a merchant whose entries were not all read
 */
export function createMerchantTotals(begun: readonly MerchantTotals[] = []): {
  readonly add: (entry: LedgerSummary) => MerchantTotals[];
  /** Totals of the merchant that is being added up. */
  readonly current: () => MerchantTotals[];
  readonly end: () => MerchantTotals[];
} {
  let merchantId = begun[0]?.merchantId;
  let byCurrency = new Map(begun.map((totals) => [totals.currency, totals]));
  const current = (): MerchantTotals[] =>
    [...byCurrency.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
  function end(): MerchantTotals[] {
    const totals = current();
    byCurrency = new Map();
    return totals;
  }
  return {
    add: (entry) => {
      const finished = merchantId === entry.merchantId ? [] : end();
      merchantId = entry.merchantId;
      for (const { status, count, factor } of movementsOf(entry)) {
        if (status !== 'settled' && status !== 'reversed') continue;
        const currency = entry.settlementCurrency;
        const before = byCurrency.get(currency) ?? { count: 0, gross: 0n, fees: 0n, net: 0n };
        byCurrency.set(currency, {
          merchantId: entry.merchantId,
          currency,
          count: before.count + count,
          gross: before.gross + factor * entry.gross,
          fees: before.fees + factor * entry.fee,
          net: before.net + factor * entry.net,
        });
      }
      return finished;
    },
    current,
    end,
  };
}
