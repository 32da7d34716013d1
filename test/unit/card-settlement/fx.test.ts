import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import { keepsAll, crossRate, FxRates, hasRate } from '../../../lambda/card-settlement/domain/fx.ts';
import { fxRates } from './card-facts.ts';

describe('rates', () => {
  it('convert from the base, to the base, and across it', () => {
    const rates = fxRates({ rates: { EUR: '0.5', JPY: '150' } });
    expect(crossRate(rates, 'USD', 'EUR')).toEqual({ numerator: 5n, denominator: 10n });
    expect(crossRate(rates, 'EUR', 'USD')).toEqual({ numerator: 10n, denominator: 5n });
    expect(crossRate(rates, 'EUR', 'JPY')).toEqual({ numerator: 1500n, denominator: 5n });
  });

  it('know no rate for what they do not name', () => {
    expect(crossRate(fxRates(), 'USD', 'GBP')).toBeUndefined();
    expect(crossRate(fxRates(), 'GBP', 'USD')).toBeUndefined();
    expect(crossRate(fxRates(), 'USD', 'toString')).toBeUndefined();
    expect(hasRate(fxRates(), 'GBP')).toBe(false);
    expect(hasRate(fxRates(), 'constructor')).toBe(false);
    expect(hasRate(fxRates(), 'USD')).toBe(true);
  });

  it('that are frozen take further currencies, and no other value, base, source or date', () => {
    const standing = fxRates({ rates: { EUR: '0.9' } });
    expect(keepsAll(standing, fxRates({ rates: { EUR: '0.9', GBP: '0.8' } }))).toBe(true);
    expect(keepsAll(standing, standing)).toBe(true);
    expect(keepsAll(fxRates({ rates: { EUR: '0.9', GBP: '0.8' } }), standing)).toBe(false);
    expect(keepsAll(standing, fxRates({ rates: { EUR: '0.91', GBP: '0.8' } }))).toBe(false);
    expect(keepsAll(standing, fxRates({ rates: { GBP: '0.8', JPY: '150' } }))).toBe(false);
    for (const change of [{ base: 'CHF' }, { source: 'another' }, { rateDate: '2026-03-09' }]) {
      expect(keepsAll(standing, fxRates({ rates: { EUR: '0.9', GBP: '0.8' }, ...change }))).toBe(false);
    }
  });
});

describe('the body that records rates', () => {
  it('is taken as it is', () => {
    expect(v.parse(FxRates, fxRates())).toEqual(fxRates());
  });

  it.each([
    ['a base that is no currency', { base: 'ABC' }],
    ['no source', { source: '' }],
    ['a long source', { source: 's'.repeat(201) }],
    ['a date that does not exist', { rateDate: '2026-02-30' }],
    ['no rates', { rates: {} }],
    ['a rate as a number', { rates: { EUR: 0.9213 } }],
    ['a rate of zero', { rates: { EUR: '0.000' } }],
    ['a negative rate', { rates: { EUR: '-1' } }],
    ['a rate with an exponent', { rates: { EUR: '1e3' } }],
    ['an unknown currency', { rates: { EUR: '1', ABC: '1' } }],
    ['rates in an array', { rates: ['1'] }],
    ['an unknown field', { note: 'hello' }],
  ])('is refused with %s', (_, change) => {
    expect(v.is(FxRates, { ...fxRates(), ...change })).toBe(false);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString'])(
    'is refused with a rate named %s, never stripped of it',
    (name) => {
      const rates: unknown = JSON.parse(`{"EUR":"1","${name}":"1"}`);
      expect(v.is(FxRates, { ...fxRates(), rates })).toBe(false);
    },
  );
});
