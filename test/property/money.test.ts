import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { crossRate } from '../../lambda/card-settlement/domain/fx.ts';
import { convert, divideHalfEven, feeOf, parseDecimal } from '../../lambda/card-settlement/domain/money.ts';
import { fxRates } from '../unit/card-settlement/card-facts.ts';

/** Goal: no unit of money appears or is lost. Method: what rounding is defined to be, in fractions, not how it is done. */

const integer = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 15n });
const decimalText = fc
  .tuple(fc.integer({ min: 0, max: 9_999_999 }), fc.integer({ min: 1, max: 999_999 }))
  .map(([whole, fraction]) => `${whole}.${String(fraction).padStart(6, '0')}`);
const exponent = fc.constantFrom(0, 2, 3);

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

describe('a division that rounds half to even', () => {
  it('gives a nearest integer, and of two equally near the even one', () => {
    // Numerators near multiples of half the denominator hit ties and their neighbours.
    const nearTie = fc
      .tuple(fc.bigInt({ min: -1000n, max: 1000n }), positive, fc.integer({ min: -1, max: 1 }))
      .map(([halves, half, off]) => ({ numerator: halves * half + BigInt(off), denominator: 2n * half }));
    const anywhere = fc.record({ numerator: integer, denominator: positive });
    fc.assert(
      fc.property(fc.oneof(nearTie, anywhere), ({ numerator, denominator }) => {
        const rounded = divideHalfEven(numerator, denominator);
        const twiceDistance = 2n * magnitude(rounded * denominator - numerator);
        expect(twiceDistance <= denominator).toBe(true);
        expect(twiceDistance !== denominator || rounded % 2n === 0n).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('treats what is owed as what is due', () => {
    fc.assert(
      fc.property(integer, positive, (numerator, denominator) => {
        expect(divideHalfEven(-numerator, denominator)).toBe(-divideHalfEven(numerator, denominator));
      }),
    );
  });
});

describe('a conversion', () => {
  it('is within half a minor unit of the exact amount, whatever the exponents', () => {
    fc.assert(
      fc.property(
        integer,
        decimalText,
        decimalText,
        exponent,
        exponent,
        (amount, perBaseFrom, perBaseTo, fromExponent, toExponent) => {
          const rates = fxRates({ rates: { EUR: perBaseFrom, GBP: perBaseTo } });
          const rate = crossRate(rates, 'EUR', 'GBP');
          if (rate === undefined) throw new Error('both rates are there');
          const converted = convert(amount, rate, fromExponent, toExponent);
          // amount / 10^from × (to per base) / (from per base) × 10^to, as a fraction of decimal texts.
          const [from, to] = [perBaseFrom, perBaseTo].map((text) => BigInt(text.replace('.', '')));
          if (from === undefined || to === undefined) throw new Error('two texts');
          const numerator = amount * to * 10n ** BigInt(toExponent);
          const denominator = from * 10n ** BigInt(fromExponent);
          const twiceDistance = 2n * magnitude(converted * denominator - numerator);
          expect(twiceDistance <= denominator).toBe(true);
          expect(twiceDistance !== denominator || converted % 2n === 0n).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is exact for a cross rate, where a rate rounded to a float would not be', () => {
    fc.assert(
      fc.property(decimalText, decimalText, (perBaseFrom, perBaseTo) => {
        const rates = fxRates({ rates: { EUR: perBaseFrom, GBP: perBaseTo } });
        const [there, back] = [crossRate(rates, 'EUR', 'GBP'), crossRate(rates, 'GBP', 'EUR')];
        if (there === undefined || back === undefined) throw new Error('both rates are there');
        expect(there.numerator * back.numerator).toBe(there.denominator * back.denominator);
        expect(there.numerator * BigInt(perBaseFrom.replace('.', ''))).toBe(
          there.denominator * BigInt(perBaseTo.replace('.', '')),
        );
      }),
    );
  });

  it('and back with the same amounts of both signs is symmetric', () => {
    fc.assert(
      fc.property(integer, decimalText, exponent, exponent, (amount, text, from, to) => {
        const rate = parseDecimal(text) ?? { numerator: 1n, denominator: 1n };
        expect(convert(-amount, rate, from, to)).toBe(-convert(amount, rate, from, to));
      }),
    );
  });
});

describe('a fee', () => {
  it('is the share of the gross amount, rounded once, and the fixed part', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 20n }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (gross, basisPoints, fixed) => {
          const share = feeOf(gross, basisPoints, fixed) - BigInt(fixed);
          const distance = share * 10_000n - gross * BigInt(basisPoints);
          expect(magnitude(distance) <= 5000n).toBe(true);
          expect(magnitude(distance) !== 5000n || share % 2n === 0n).toBe(true);
        },
      ),
    );
  });
});
