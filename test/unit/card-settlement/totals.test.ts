import { describe, expect, it } from '@jest/globals';
import { settle, type LedgerEntry } from '../../../lambda/card-settlement/domain/settlement.ts';
import {
  conserved,
  createControlTotals,
  createMerchantTotals,
} from '../../../lambda/card-settlement/domain/totals.ts';
import { stagedFact } from './card-facts.ts';

const none = { count: 0, amount: 0n };

function entry(changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return { ...settle(stagedFact(), undefined, undefined, { score: 0, rules: [] }, 70), ...changes };
}

describe('control totals', () => {
  it('add up both books by currency of the transaction', () => {
    const control = createControlTotals();
    control.add({ left: stagedFact(), right: entry() });
    control.add({ left: stagedFact({ kind: 'refund', amount: 97 }) });
    control.add({ right: entry({ currency: 'JPY', amount: 5n, status: 'held' }) });
    expect(control.totals()).toEqual({
      JPY: { staged: none, settled: none, held: { count: 1, amount: 5n }, reversed: none, rejected: none },
      USD: {
        staged: { count: 2, amount: 400n },
        settled: { count: 1, amount: 497n },
        held: none,
        reversed: none,
        rejected: none,
      },
    });
  });

  it('are exact beyond 2^53', () => {
    const control = createControlTotals();
    for (let count = 0; count < 9_010; count++) control.add({ left: stagedFact({ amount: 10 ** 12 }) });
    control.add({ left: stagedFact({ amount: 1 }) });
    expect(control.totals()['USD']?.staged).toEqual({ count: 9_011, amount: 9_010_000_000_000_001n });
    expect(9_010_000_000_000_001n > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('are conserved only if count and amount agree in each currency', () => {
    const some = { count: 2, amount: 10n };
    const totals = (changes: object) => ({
      USD: { staged: some, settled: none, held: none, reversed: none, rejected: none, ...changes },
    });
    expect(conserved({})).toBe(true);
    for (const side of ['settled', 'held', 'reversed', 'rejected']) {
      expect(conserved(totals({ [side]: some }))).toBe(true);
      expect(conserved(totals({ [side]: { count: 2, amount: 9n } }))).toBe(false);
      expect(conserved(totals({ [side]: { count: 1, amount: 10n } }))).toBe(false);
    }
    expect(conserved(totals({ settled: { count: 1, amount: 4n }, held: { count: 1, amount: 6n } }))).toBe(
      true,
    );
    expect(conserved({ ...totals({ settled: some }), JPY: totals({}).USD })).toBe(false);
  });
});

describe('the totals of merchants', () => {
  it('are given as each merchant’s run ends, by currency in order', () => {
    const merchants = createMerchantTotals();
    expect(merchants.add(entry({ merchantId: 'a', settlementCurrency: 'USD', fee: 7n, net: 490n }))).toEqual(
      [],
    );
    expect(merchants.add(entry({ merchantId: 'a', settlementCurrency: 'EUR' }))).toEqual([]);
    expect(merchants.add(entry({ merchantId: 'a', gross: -97n, fee: 0n, net: -97n }))).toEqual([]);
    expect(merchants.add(entry({ merchantId: 'b' }))).toEqual([
      { merchantId: 'a', currency: 'EUR', count: 1, gross: 497n, fees: 0n, net: 497n },
      { merchantId: 'a', currency: 'USD', count: 2, gross: 400n, fees: 7n, net: 393n },
    ]);
    expect(merchants.end()).toEqual([
      { merchantId: 'b', currency: 'USD', count: 1, gross: 497n, fees: 0n, net: 497n },
    ]);
    expect(merchants.end()).toEqual([]);
  });

  it('leave out what is held or rejected, and count what is reversed', () => {
    const merchants = createMerchantTotals();
    merchants.add(entry({ merchantId: 'a', status: 'held' }));
    merchants.add(entry({ merchantId: 'a', status: 'rejected' }));
    expect(merchants.add(entry({ merchantId: 'b', status: 'reversed' }))).toEqual([]);
    expect(merchants.end()).toMatchObject([{ merchantId: 'b', count: 1 }]);
  });
});
