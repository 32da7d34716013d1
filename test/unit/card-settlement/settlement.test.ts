import { describe, expect, it } from '@jest/globals';
import { missingRates, settle } from '../../../lambda/card-settlement/domain/settlement.ts';
import { fxRates, profile, stagedFact } from './card-facts.ts';

const harmless = { score: 0, rules: [] };
const HOLD_SCORE = 70;

describe('settling', () => {
  it('a sale takes the fee off the gross amount', () => {
    expect(settle(stagedFact(), profile(), undefined, harmless, HOLD_SCORE)).toEqual({
      factId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
      merchantId: 'mer_12764b37',
      businessDate: '2026-03-10',
      status: 'settled',
      kind: 'sale',
      amount: 497n,
      currency: 'USD',
      settlementCurrency: 'USD',
      gross: 497n,
      fee: 22n, // 2.5 % of 4.97 is 0.12425, and 0.10
      net: 475n,
      withoutProfile: false,
      score: 0,
      rules: [],
    });
  });

  it('a refund takes no fee, and is negative', () => {
    const entry = settle(stagedFact({ kind: 'refund' }), profile(), undefined, harmless, HOLD_SCORE);
    expect(entry).toMatchObject({ amount: -497n, gross: -497n, fee: 0n, net: -497n });
  });

  it('converts the gross amount first, then takes the fee in the settlement currency', () => {
    const entry = settle(
      stagedFact({ amount: 10_000, currency: 'EUR' }),
      profile({ settlementCurrency: 'JPY', feeBasisPoints: 250, feeFixedMinor: 30 }),
      fxRates({ rates: { EUR: '0.9213', JPY: '147.25' } }),
      harmless,
      HOLD_SCORE,
    );
    // 100.00 EUR / 0.9213 × 147.25 = 15982.85… JPY; 2.5 % of it is 399.575
    expect(entry).toMatchObject({
      amount: 10_000n,
      currency: 'EUR',
      settlementCurrency: 'JPY',
      gross: 15_983n,
      fee: 430n,
      net: 15_553n,
      conversion: {
        base: 'USD',
        source: 'a central bank',
        rateDate: '2026-03-10',
        fromRate: '0.9213',
        toRate: '147.25',
      },
    });
  });

  it('says that the base is worth one of itself', () => {
    const rates = fxRates();
    const from = settle(stagedFact(), profile({ settlementCurrency: 'EUR' }), rates, harmless, HOLD_SCORE);
    expect(from.conversion).toMatchObject({ fromRate: '1', toRate: '0.9213' });
    const to = settle(stagedFact({ currency: 'EUR' }), profile(), rates, harmless, HOLD_SCORE);
    expect(to.conversion).toMatchObject({ fromRate: '0.9213', toRate: '1' });
  });

  it('needs no rates, and records no conversion, within one currency', () => {
    expect(settle(stagedFact(), profile(), fxRates(), harmless, HOLD_SCORE)).not.toHaveProperty('conversion');
  });

  it('a merchant without a profile is paid in the transaction’s currency without a fee, and is noted', () => {
    const entry = settle(stagedFact({ currency: 'KWD' }), undefined, undefined, harmless, HOLD_SCORE);
    expect(entry).toMatchObject({
      settlementCurrency: 'KWD',
      gross: 497n,
      fee: 0n,
      net: 497n,
      withoutProfile: true,
    });
  });

  it('holds a transaction from a score of 70 on, and keeps why', () => {
    const rules = [{ rule: 'velocity', score: 70, inputs: { count: 9 } }];
    expect(settle(stagedFact(), profile(), undefined, { score: 69, rules: [] }, HOLD_SCORE).status).toBe(
      'settled',
    );
    expect(settle(stagedFact(), profile(), undefined, { score: 70, rules }, HOLD_SCORE)).toMatchObject({
      status: 'held',
      score: 70,
      rules,
      net: 475n,
    });
  });

  it('the largest amount at the largest rate stays exact', () => {
    const entry = settle(
      stagedFact({ amount: 10 ** 12 }),
      profile({ settlementCurrency: 'KWD', feeBasisPoints: 0, feeFixedMinor: 0 }),
      fxRates({ rates: { KWD: '999999999999.999999999999' } }),
      harmless,
      HOLD_SCORE,
    );
    expect(entry.gross).toBe(9_999_999_999_999_999_999_999_990n);
  });

  it('without a rate it cannot be done', () => {
    expect(() =>
      settle(stagedFact(), profile({ settlementCurrency: 'GBP' }), fxRates(), harmless, HOLD_SCORE),
    ).toThrow(RangeError);
  });
});

describe('the rates that are missing', () => {
  const inEuro = profile({ settlementCurrency: 'EUR' });

  it('are none where nothing is converted', () => {
    expect(missingRates(stagedFact(), profile(), undefined)).toEqual([]);
    expect(missingRates(stagedFact({ currency: 'GBP' }), undefined, undefined)).toEqual([]);
  });

  it('are both where there are no rates', () => {
    expect(missingRates(stagedFact(), inEuro, undefined)).toEqual(['USD', 'EUR']);
  });

  it('are those that the rates do not name; the base is always there', () => {
    expect(missingRates(stagedFact(), inEuro, fxRates())).toEqual([]);
    expect(missingRates(stagedFact({ currency: 'GBP' }), inEuro, fxRates())).toEqual(['GBP']);
  });
});
