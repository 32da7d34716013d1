import type { Joined } from './merge-join.ts';
import type { EntryStatus, LedgerEntry, StagedFact } from './settlement.ts';
import { signedAmount } from './transaction.ts';

/** A number of transactions and the sum of their signed amounts, in minor units. */
export interface CountAndAmount {
  readonly count: number;
  readonly amount: bigint;
}

/** What the books say of one currency: staged = settled + held + reversed + rejected, once a day is balanced. */
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

/** What reconciling reads of a staged transaction. */
export type StagedSummary = Pick<
  StagedFact,
  'transactionId' | 'merchantId' | 'type' | 'amount' | 'currency' | 'stagedAt'
>;

/** What reconciling reads of a ledger entry. */
export type LedgerSummary = Pick<
  LedgerEntry,
  | 'transactionId'
  | 'merchantId'
  | 'status'
  | 'amount'
  | 'currency'
  | 'settlementCurrency'
  | 'gross'
  | 'fee'
  | 'net'
>;

const NOTHING: CountAndAmount = { count: 0, amount: 0n };
const NO_TOTALS: ControlTotals = {
  staged: NOTHING,
  settled: NOTHING,
  held: NOTHING,
  reversed: NOTHING,
  rejected: NOTHING,
};

/** Adds up, per currency of the transactions, both sides of the join of what was staged and what the ledger holds. */
export function createControlTotals(): {
  readonly add: (pair: Joined<StagedSummary, LedgerSummary>) => void;
  readonly totals: () => Readonly<Record<string, ControlTotals>>;
} {
  const byCurrency = new Map<string, ControlTotals>();
  function plus(currency: string, side: 'staged' | EntryStatus, amount: bigint): void {
    const totals = byCurrency.get(currency) ?? NO_TOTALS;
    const { count, amount: sum } = totals[side];
    byCurrency.set(currency, { ...totals, [side]: { count: count + 1, amount: sum + amount } });
  }
  return {
    add: ({ left, right }) => {
      if (left !== undefined) plus(left.currency, 'staged', signedAmount(left));
      if (right !== undefined) plus(right.currency, right.status, right.amount);
    },
    totals: () => Object.fromEntries([...byCurrency].toSorted(([a], [b]) => (a < b ? -1 : 1))),
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

/**
 * Adds up what merchants get, one merchant after the other: entries must come sorted by merchant. `add` gives the
 * totals of the merchant before, one per currency in order, when it sees the next; `end` those of the last. Held and
 * rejected transactions are no part of a settlement.
 */
export function createMerchantTotals(): {
  readonly add: (entry: LedgerSummary) => MerchantTotals[];
  readonly end: () => MerchantTotals[];
} {
  let merchantId: string | undefined;
  let byCurrency = new Map<string, MerchantTotals>();
  function end(): MerchantTotals[] {
    const totals = [...byCurrency.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
    byCurrency = new Map();
    return totals;
  }
  return {
    add: (entry) => {
      const finished = merchantId === entry.merchantId ? [] : end();
      merchantId = entry.merchantId;
      if (entry.status === 'settled' || entry.status === 'reversed') {
        const currency = entry.settlementCurrency;
        const { count, gross, fees, net } = byCurrency.get(currency) ?? {
          count: 0,
          gross: 0n,
          fees: 0n,
          net: 0n,
        };
        byCurrency.set(currency, {
          merchantId: entry.merchantId,
          currency,
          count: count + 1,
          gross: gross + entry.gross,
          fees: fees + entry.fee,
          net: net + entry.net,
        });
      }
      return finished;
    },
    end,
  };
}
