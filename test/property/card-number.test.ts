import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { textContainsCardNumber } from '../../lambda/card-settlement/domain/card-number.ts';

/** The check digit, as ISO/IEC 7812-1 words it: digits from the right, every second one doubled. */
function withCheckDigit(payload: readonly number[]): string {
  const sum = payload
    .toReversed()
    .map((digit, index) => (index % 2 === 0 ? ([0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit] ?? 0) : digit))
    .reduce((total, digit) => total + digit, 0);
  return `${payload.join('')}${(10 - (sum % 10)) % 10}`;
}

const digit = fc.integer({ min: 0, max: 9 });
const payload = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.array(digit, { minLength: 11, maxLength: 17 }))
  .map(([first, rest]) => [first, ...rest]);
const separators = fc.array(fc.constantFrom('', ' ', '-'), { minLength: 19, maxLength: 19 });

describe('a number with a right check digit', () => {
  it('is found with whatever separators between its digits, and in whatever text around it', () => {
    const around = fc.constantFrom('', ' ', ':', '"', ', ', '(', ')', '/', '_', '\n', '€');
    fc.assert(
      fc.property(payload, separators, around, around, (digits, between, before, after) => {
        const number = withCheckDigit(digits)
          .split('')
          .map((each, index) => `${between[index]}${each}`)
          .join('');
        expect(textContainsCardNumber(`${before}${number.replace(/^[ -]/, '')}${after}`)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is not found if any one of its digits is another', () => {
    fc.assert(
      fc.property(payload, fc.nat(30), fc.integer({ min: 1, max: 9 }), (digits, place, change) => {
        const number = withCheckDigit(digits).split('');
        const index = place % number.length;
        number[index] = String((Number(number[index]) + change) % 10);
        expect(textContainsCardNumber(number.join(''))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is not found beside a letter or a decimal point', () => {
    fc.assert(
      fc.property(payload, fc.constantFrom('a', 'Z', 'ß', '1.', '.'), (digits, neighbour) => {
        expect(textContainsCardNumber(`${neighbour}${withCheckDigit(digits)}`)).toBe(false);
      }),
    );
  });
});
