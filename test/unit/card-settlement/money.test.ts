import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import currencyCodes from 'currency-codes';
import {
  convert,
  currencyExponent,
  divideHalfEven,
  feeOf,
  isQuotedCurrency,
  parseDecimal,
} from '../../../lambda/card-settlement/domain/money.ts';

function rate(text: string) {
  const ratio = parseDecimal(text);
  if (ratio === undefined) throw new Error(`${text} is no rate`);
  return ratio;
}

describe('a currency', () => {
  it.each([
    ['JPY', 0],
    ['KRW', 0],
    ['USD', 2],
    ['EUR', 2],
    ['MXN', 2],
    ['KWD', 3],
    ['BHD', 3],
    ['CLF', 4],
  ])('%s has %i decimal digits', (currency, digits) => {
    expect(currencyExponent(currency)).toBe(digits);
  });

  it.each(['XXX', 'XTS', 'ABC', 'usd', 'US', 'USDX', '', '840', 'constructor', '__proto__'])(
    'is not %j',
    (currency) => {
      expect(currencyExponent(currency)).toBeUndefined();
    },
  );
});

describe('a currency that markets quote', () => {
  /** ISO 4217 list one, as its maintenance agency publishes it; entries say fund codes, and minor units or `N.A.`. */
  const listOne = readFileSync(
    createRequire(import.meta.url).resolve('currency-codes/iso-4217-list-one.xml'),
    'utf8',
  );
  const entries = [...listOne.matchAll(/<CcyNtry>.*?<\/CcyNtry>/gs)].map(([entry]) => ({
    code: /<Ccy>(\w+)</.exec(entry)?.[1],
    isUnquoted: /IsFund="true"/i.test(entry) || entry.includes('<CcyMnrUnts>N.A.<'),
  }));

  it('has a minor unit and is no fund, by the list itself', () => {
    const unquoted = new Set(entries.filter(({ isUnquoted }) => isUnquoted).map(({ code }) => code));
    expect(unquoted.size).toBeGreaterThan(15);
    const refused = currencyCodes.codes().filter((code) => !isQuotedCurrency(code));
    expect(refused.toSorted()).toEqual([...unquoted, 'CUC', 'UYW'].toSorted());
  });
});

describe('rounding', () => {
  it.each([
    [5n, 10n, 0n],
    [15n, 10n, 2n],
    [25n, 10n, 2n],
    [35n, 10n, 4n],
    [-5n, 10n, 0n],
    [-15n, 10n, -2n],
    [-25n, 10n, -2n],
    [24n, 10n, 2n],
    [26n, 10n, 3n],
    [0n, 7n, 0n],
  ])('%s / %s is %s', (numerator, denominator, rounded) => {
    expect(divideHalfEven(numerator, denominator)).toBe(rounded);
  });

  it('refuses a denominator that is not positive', () => {
    expect(() => divideHalfEven(1n, 0n)).toThrow(RangeError);
    expect(() => divideHalfEven(1n, -2n)).toThrow(RangeError);
  });
});

describe('a conversion', () => {
  it('from dollars to yen loses two digits', () => {
    // 4.97 USD × 147.25 = 731.8325 JPY
    expect(convert(497n, rate('147.25'), 2, 0)).toBe(732n);
  });

  it('from yen to dollars gains two digits', () => {
    expect(convert(732n, { numerator: 100n, denominator: 14_725n }, 0, 2)).toBe(497n);
  });

  it('from dollars to dinars gains one digit', () => {
    // 4.97 USD × 0.30815 = 1.5315055 KWD
    expect(convert(497n, rate('0.30815'), 2, 3)).toBe(1532n);
  });

  it('rounds a half to the even neighbour', () => {
    expect(convert(1n, rate('0.5'), 2, 2)).toBe(0n);
    expect(convert(3n, rate('0.5'), 2, 2)).toBe(2n);
    expect(convert(-3n, rate('0.5'), 2, 2)).toBe(-2n);
  });

  it('is exact beyond 2^53', () => {
    expect(convert(9_007_199_254_740_993n, rate('1.000000000001'), 2, 2)).toBe(9_007_199_254_750_000n);
  });
});

describe('a fee', () => {
  it('adds the fixed part after rounding', () => {
    expect(feeOf(497n, 250, 10)).toBe(22n); // 12.425 + 10
    expect(feeOf(20n, 250, 0)).toBe(0n); // 0.5, to even
    expect(feeOf(60n, 250, 0)).toBe(2n); // 1.5, to even
    expect(feeOf(0n, 250, 10)).toBe(10n);
  });
});

describe('decimal text', () => {
  it('is read exactly', () => {
    expect(parseDecimal('0.9213')).toEqual({ numerator: 9213n, denominator: 10_000n });
    expect(parseDecimal('147')).toEqual({ numerator: 147n, denominator: 1n });
    expect(parseDecimal('999999999999.999999999999')).toEqual({
      numerator: 10n ** 24n - 1n,
      denominator: 10n ** 12n,
    });
  });

  it.each([
    '0',
    '0.000',
    '-1',
    '+1',
    '1.',
    '.5',
    '1e5',
    '1,5',
    ' 1',
    '1\n',
    '',
    'NaN',
    '1234567890123',
    '0x10',
    '1.1234567890123',
  ])('is not %j', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });
});
