import { movementsOf } from './decision.ts';
import type { Joined } from './merge-join.ts';
import { ENTRY_STATUSES, type EntryStatus, type LedgerEntry, type StagedFact } from './settlement.ts';
import { isReviewKind, signedAmount, type FactKind, type Transaction } from './transaction.ts';

/** A sum of signed amounts in minor units. */
export interface CountAndAmount {
  readonly count: number;
  readonly amount: bigint;
}

/**
 * On a balanced day, staged = settled + held + reversed + rejected. Sides may be negative on dates that have a decision
 * but not its original.
 */
export type ControlTotals = Readonly<Record<'staged' | EntryStatus, CountAndAmount>>;

export interface MerchantTotals {
  readonly merchantId: string;
  readonly currency: string;
  readonly count: number;
  readonly gross: bigint;
  readonly fees: bigint;
  readonly net: bigint;
}

export interface StagedSummary extends Pick<
  StagedFact,
  'factId' | 'merchantId' | 'amount' | 'currency' | 'stagedAt'
> {
  readonly kind: FactKind;
  readonly originalKind?: Transaction['type'] | undefined;
  readonly clientId?: string | undefined;
  readonly terminalId?: string | undefined;
}

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

const SIDES = ['staged', ...ENTRY_STATUSES] as const;
const NO_TOTALS: ControlTotals = eachSide(() => ({ count: 0, amount: 0n }));

export function eachSide<T>(make: (side: (typeof SIDES)[number]) => T) {
  return {
    staged: make('staged'),
    settled: make('settled'),
    held: make('held'),
    reversed: make('reversed'),
    rejected: make('rejected'),
  };
}

/** @param before what an earlier part of the walk has added up */
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
      // A release or a rejection only moves what was staged before.
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

function copyOf(totals: ControlTotals) {
  return eachSide((side) => ({ ...totals[side] }));
}

/** True if what was staged equals what the ledger has, by currency. */
export function conserved(totals: Readonly<Record<string, ControlTotals>>): boolean {
  return Object.values(totals).every(
    (sides) =>
      sides.staged.count === ENTRY_STATUSES.reduce((sum, status) => sum + sides[status].count, 0) &&
      sides.staged.amount === ENTRY_STATUSES.reduce((sum, status) => sum + sides[status].amount, 0n),
  );
}

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
 * Adds up entries sorted by merchant. `add` returns the totals of the previous merchant at the next one's first entry;
 * `end` those of the last. Held and rejected transactions do not count; a sale and its reversal come to nothing.
 * @param begun what `end` returned of a merchant whose entries were not all read
 */
export function createMerchantTotals(begun: readonly MerchantTotals[] = []): {
  readonly add: (entry: LedgerSummary) => MerchantTotals[];
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
