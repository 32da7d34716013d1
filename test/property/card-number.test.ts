import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { identifierKinds, seededBits } from '../../tools/limits/identifier-kinds.ts';
import { placesRefused } from '../../tools/limits/identifiers.ts';
import { writingsOf } from '../../tools/limits/published-card-numbers.ts';
import { textContainsCardNumber } from '../../lambda/card-settlement/domain/card-number.ts';

/** The check digit, as ISO/IEC 7812-1 words it: digits from the right, every second one doubled. */
function withCheckDigit(payload: string): string {
  const sum = Array.from(payload)
    .toReversed()
    .map(Number)
    .map((digit, index) => (index % 2 === 0 ? ([0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit] ?? 0) : digit))
    .reduce((total, digit) => total + digit, 0);
  return `${payload}${(10 - (sum % 10)) % 10}`;
}

/** A prefix of a network, and the lengths that its numbers have, but for those that Snowflake ids have. */
const networks = [
  { prefixes: ['4'], lengths: [13, 16, 19] },
  { prefixes: ['51', '55', '2221', '2229', '223', '26', '271', '2720'], lengths: [16] },
  { prefixes: ['34', '37'], lengths: [15] },
  { prefixes: ['300', '305', '309', '36', '38', '39'], lengths: [14, 16] },
  { prefixes: ['3528', '3529', '353', '358'], lengths: [16] },
  { prefixes: ['6011', '644', '649', '65', '62', '81'], lengths: [16, 19] },
  { prefixes: ['50', '56', '58', '6304', '6390', '67'], lengths: [12, 13, 14, 15, 16, 19] },
];
// Made once: making it takes longer than drawing from it.
const eighteenDigits = fc.stringMatching(/^[0-9]{18}$/);
const cardNumber = fc
  .constantFrom(...networks)
  .chain(({ prefixes, lengths }) =>
    fc.tuple(fc.constantFrom(...prefixes), fc.constantFrom(...lengths), eighteenDigits),
  )
  .map(([prefix, length, digits]) => withCheckDigit(`${prefix}${digits}`.slice(0, length - 1)));

describe('a number of a network with a right check digit', () => {
  it('is found in each of its writings, and in whatever text around it', () => {
    const around = fc.constantFrom(
      '',
      ' ',
      ':',
      '"',
      ', ',
      '(',
      ')',
      '/',
      '_',
      '-',
      '\n',
      '€',
      'tok_',
      ' 12 ',
    );
    fc.assert(
      fc.property(cardNumber, around, around, (digits, before, after) => {
        const texts = writingsOf(digits).map(
          (writing) => `${before}${writing}${after.replace('tok_', '_tok')}`,
        );
        expect(texts.filter((text) => !textContainsCardNumber(text))).toEqual([]);
      }),
      { numRuns: 500, seed: 20_261_124 },
    );
  });

  it('is not found if any one of its digits is another', () => {
    fc.assert(
      fc.property(cardNumber, fc.nat(30), fc.integer({ min: 1, max: 9 }), (digits, place, change) => {
        const number = digits.split('');
        const index = place % number.length;
        number[index] = String((Number(number[index]) + change) % 10);
        expect(textContainsCardNumber(number.join(''))).toBe(false);
      }),
      { numRuns: 500, seed: 20_261_124 },
    );
  });

  it('is not found beside a letter, as decimals, or with different separators', () => {
    fc.assert(
      fc.property(cardNumber, fc.constantFrom('a', 'Z', 'ß', '1.'), (digits, neighbour) => {
        expect(textContainsCardNumber(`${neighbour}${digits}`)).toBe(false);
        const groups = digits.match(/.{1,4}/g) ?? [];
        expect(textContainsCardNumber(`${groups.slice(0, 2).join(' ')}-${groups.slice(2).join(' ')}`)).toBe(
          false,
        );
      }),
      { seed: 20_261_124 },
    );
  });
});

describe('an id that others make', () => {
  it.each(Object.entries(identifierKinds))('is no card number, wherever it stands: %s', (_, make) => {
    const bits = seededBits(20_261_124);
    const refused = Array.from({ length: 20_000 }, () => make(bits)).filter(
      (id) => placesRefused(id).length > 0,
    );
    expect(refused).toEqual([]);
  });

  it('is none if it is a UUID of digits alone', () => {
    fc.assert(
      fc.property(
        cardNumber,
        fc.constantFrom('-', '_'),
        fc.constantFrom('', 'tok_'),
        (digits, separator, prefix) => {
          const long = digits.repeat(3);
          const groups = [8, 4, 4, 4, 12].reduce<string[]>(
            (all, length) => [...all, long.slice(all.join('').length).slice(0, length)],
            [],
          );
          // The last group and those in the middle are numbers of 12 digits, like short ones of Maestro.
          for (const last of [groups[4] ?? '', withCheckDigit('50180000000')]) {
            const id = [...groups.slice(0, 4), last].join(separator);
            expect([id, textContainsCardNumber(`${prefix}${id}`)]).toEqual([id, false]);
          }
        },
      ),
      { seed: 20_261_124 },
    );
  });
});
