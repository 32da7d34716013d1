import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { MerchantProfile, sameProfile } from '../../../lambda/card-settlement/domain/merchant.ts';
import { profile } from './card-facts.ts';

describe('a merchant profile', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no fees', { feeBasisPoints: 0, feeFixedMinor: 0 }],
    ['the largest fees', { feeBasisPoints: 10_000, feeFixedMinor: 1_000_000 }],
    ['a name of any script', { name: '寿司' }],
  ])('is taken with %s', (_, changes) => {
    expect(v.is(MerchantProfile, { ...profile(), ...changes })).toBe(true);
  });

  it.each<[string, Record<string, unknown>]>([
    ['no name', { name: '' }],
    ['a name too long', { name: 'n'.repeat(201) }],
    ['a country in lower case', { country: 'us' }],
    ['an unknown currency', { settlementCurrency: 'XXX' }],
    ['a negative fee', { feeBasisPoints: -1 }],
    ['a fee of more than everything', { feeBasisPoints: 10_001 }],
    ['a fraction of a basis point', { feeBasisPoints: 2.5 }],
    ['a fixed fee too large', { feeFixedMinor: 1_000_001 }],
    ['a fee as text', { feeFixedMinor: '10' }],
    ['an unknown field', { effectiveFrom: '2026-03-10' }],
  ])('is refused with %s', (_, changes) => {
    expect(v.is(MerchantProfile, { ...profile(), ...changes })).toBe(false);
  });

  it('is the same only if all of it is', () => {
    expect(sameProfile(profile(), profile())).toBe(true);
    for (const change of [
      { name: 'Another' },
      { country: 'DE' },
      { settlementCurrency: 'EUR' },
      { feeBasisPoints: 251 },
      { feeFixedMinor: 11 },
    ]) {
      expect(sameProfile(profile(), profile(change))).toBe(false);
    }
  });
});
