import { describe, expect, it } from '@jest/globals';
import { placesRefused } from '../../../tools/limits/identifiers.ts';
import { publishedCardNumbers, writingsOf } from '../../../tools/limits/published-card-numbers.ts';
import {
  containsCardNumber,
  jsonContainsLongCardNumber,
  textContainsCardNumber,
} from '../../../lambda/card-settlement/domain/card-number.ts';

const published = Object.entries(publishedCardNumbers).flatMap(([network, cardNumbers]) =>
  cardNumbers.map((cardNumber) => [network, cardNumber] as const),
);
const cardNumbers = published.map(([, cardNumber]) => cardNumber);

describe('a number that is published for tests', () => {
  it.each(published)('%s %s is refused in every writing, wherever it stands', (_, cardNumber) => {
    for (const writing of writingsOf(cardNumber)) {
      expect([writing, placesRefused(JSON.stringify(writing))]).toEqual([
        writing,
        ['body', 'key', 'path', 'query'],
      ]);
    }
    expect(placesRefused(cardNumber)).toContain('body');
  });

  it.each(published)('%s %s is refused as an integer, if it is longer than an amount', (_, cardNumber) => {
    const json = `{"amount":[${cardNumber}]}`;
    const isRefused = containsCardNumber(JSON.parse(json)) || jsonContainsLongCardNumber(json);
    expect(isRefused).toBe(cardNumber.length > 12);
  });
});

describe('a card number', () => {
  it.each(cardNumbers)('%s is found in a text', (number) => {
    expect(textContainsCardNumber(number)).toBe(true);
    expect(textContainsCardNumber(`paid with ${number}, thank you`)).toBe(true);
  });

  it.each(cardNumbers)('%s is not found with a wrong last digit', (number) => {
    const wrong = `${number.slice(0, -1)}${(Number(number.at(-1)) + 1) % 10}`;
    expect(textContainsCardNumber(wrong)).toBe(false);
  });

  it.each([
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111_1111_1111_1111',
    '4111.1111.1111.1111',
    'tok_4111_1111_1111_1111',
    '3782 822463 10005',
    '6212345 621234 5678900000003',
    '12-4111-1111-1111-1111-12',
    '4111111111111111-4111',
    '4111111111111111.5',
    '550e8400-e29b-41d4-a716-446655440000-4111111111111111',
    'card:4111111111111111',
    'tok_4111111111111111',
    '"4111111111111111"',
    '(4111 1111 1111 1111)',
    'The number is 4111111111111111.',
    'The number is 4111111111111111.\nThe end',
    'order 12 4111111111111111',
    '4111111111111111 12',
    '4111111111111111,5555555555554444',
    '4111111111111112 4111111111111111',
    '+4111111111111111',
  ])('is found in %j', (text) => {
    expect(textContainsCardNumber(text)).toBe(true);
  });

  it.each([
    '1111111111111117', // begins with 1
    '7111111111111114',
    '0000000000000000',
    'x4111111111111111',
    '4111111111111111x',
    'é4111111111111111',
    '14111111111111111', // one digit more
    '41111111111111110000', // 20 digits
    '1.4111111111111111',
    '411111111117', // 12 digits
    '2721000000000004', // beyond Mastercard's range
    '400000000000000002', // 18 digits, which Visa's numbers do not have
    '620000000000000005', // 18 digits, like a Snowflake id
    '1541815603606036489', // a Snowflake id
    '600138123457', // a reference number of 1 January 2026
    '4111 1111-1111 1111',
    '4111 111111 111111', // no grouping of 16
    '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
    '4111/1111/1111/1111',
    '4111  1111  1111  1111', // more than one separator
  ])('is not found in %j', (text) => {
    expect(textContainsCardNumber(text)).toBe(false);
  });
});

describe('what the books are full of', () => {
  it.each([
    'tok_d6f66cb8',
    'mer_12764b37',
    '0b242abb623afc578575680df30655b9-2829',
    'c0ffee00c0ffee00c0ffee00c0ffee00',
    '550e8400-e29b-41d4-a716-446655440000',
    '2026-03-10T12:00:18.123456789-04:00',
    '2026-03-10T16:00:19.000Z',
    '49.159046999999994',
    '-122.4194155000000',
    '335945.57',
    '1.501800000009',
    '550e8400-e29b-41d4-a716-501800000009',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    '+1 212 555 0123',
    '',
  ])('%j is no card number', (text) => {
    expect(textContainsCardNumber(text)).toBe(false);
  });
});

function deep(inner: string): unknown {
  return JSON.parse(`${'['.repeat(8000)}${inner}${']'.repeat(8000)}`);
}

describe('a value', () => {
  const number = '4111111111111111';

  it.each([
    ['a string', number],
    ['an integer', 4_111_111_111_111_111],
    ['a member', { note: number }],
    ['an integer member', { amount: 4_111_111_111_111_111 }],
    ['a name', { [number]: 1 }],
    ['an element', ['a', [number]]],
    ['something deep', { a: [{ b: { c: [null, true, { d: `card ${number}` }] } }] }],
    ['a name beside __proto__', JSON.parse(`{"__proto__":{"x":"${number}"}}`)],
    ['an integer in other words', JSON.parse('4.111111111111111e15')],
  ])('holds a card number in %s', (_, value: unknown) => {
    expect(containsCardNumber(value)).toBe(true);
  });

  it.each([
    ['a transaction', { amount: 1_000_000_000_000, location: { latitude: 49.159_046_999_999_994 } }],
    ['a fraction', 4111.111_111_111_111],
    ['a negative integer', -4_111_111_111_111_111],
    ['nothing', null],
    ['not a number', Number.NaN],
    ['infinity', JSON.parse('1e999')],
    ['a huge number', 4.1e300],
    ['an amount of 12 digits', 501_800_000_009],
  ])('holds none in %s', (_, value: unknown) => {
    expect(containsCardNumber(value)).toBe(false);
  });

  it('may nest as deep as a body can be long', () => {
    expect(containsCardNumber(deep('1'))).toBe(false);
    expect(containsCardNumber(deep(number))).toBe(true);
  });

  it('is searched in time that grows with its length only', () => {
    const startedAt = performance.now();
    for (const text of ['1 '.repeat(8000), '1'.repeat(16_000), `${'1-'.repeat(8000)}a`, '.'.repeat(16_000)]) {
      textContainsCardNumber(text);
    }
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});

describe('an integer that JSON would round', () => {
  it('is found in the body before it is parsed', () => {
    const body = '{"amount":6304000000000000000}';
    expect(jsonContainsLongCardNumber(body)).toBe(true);
    expect(jsonContainsLongCardNumber('{"amount": 4111111111111111}')).toBe(true);
  });
});
