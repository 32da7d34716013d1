import { describe, expect, it } from '@jest/globals';
import * as v from 'valibot';
import {
  dateTransaction,
  signedAmount,
  Transaction,
} from '../../../lambda/card-settlement/domain/transaction.ts';
import { sale } from './card-facts.ts';

function accepts(changes: Record<string, unknown>): boolean {
  return v.is(Transaction, { ...sale(), ...changes });
}

describe('a transaction', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the least amount', { amount: 1 }],
    ['the largest amount', { amount: 1_000_000_000_000 }],
    ['a whole amount written with a point', { amount: 1.0 }],
    ['a currency without minor units', { currency: 'JPY' }],
    ['a refund', { type: 'refund' }],
    ['a refund of an original', { type: 'refund', originalTransactionId: 'c0ffee' }],
    ['a country', { merchantCountry: 'DE' }],
    ['a place', { location: { latitude: -90, longitude: 180 } }],
    ['a place nearly at 0', { location: { latitude: -0, longitude: 5.6843e-14 } }],
    ['the longest identifier', { merchantId: 'm'.repeat(64) }],
    ['a zone with an offset', { occurredAt: '2026-03-10T12:00:18.25+05:45' }],
  ])('is taken with %s', (_, changes) => {
    expect(accepts(changes)).toBe(true);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an amount of 0', { amount: 0 }],
    ['a negative amount', { amount: -1 }],
    ['a fractional amount', { amount: 4.97 }],
    ['an amount over 10^12', { amount: 1_000_000_000_001 }],
    ['an amount as text', { amount: '497' }],
    ['an amount beyond numbers', { amount: Number.POSITIVE_INFINITY }],
    ['no amount', { amount: undefined }],
    ['a null', { amount: null }],
    ['an unknown type', { type: 'gift' }],
    ['a currency in lower case', { currency: 'usd' }],
    ['an unknown currency', { currency: 'ABC' }],
    ['an unknown merchant category code', { merchantCategoryCode: '0000' }],
    ['a merchant category code as a number', { merchantCategoryCode: 5411 }],
    ['an empty identifier', { merchantId: '' }],
    ['an identifier too long', { merchantId: 'm'.repeat(65) }],
    ['an identifier with a space', { terminalId: 'till 1' }],
    ['an identifier with a #', { cardToken: 'tok#1' }],
    ['an identifier with a line end', { cardToken: 'tok_1\n' }],
    ['a date that does not exist', { occurredAt: '2026-02-30T12:00:00Z' }],
    ['a date without a zone', { occurredAt: '2026-03-10T12:00:00' }],
    ['a country of three letters', { merchantCountry: 'USA' }],
    ['a latitude that no table can hold', { location: { latitude: 5e-324, longitude: 0 } }],
    ['a longitude that no table can hold', { location: { latitude: 0, longitude: -1e-101 } }],
    ['a latitude beyond the pole', { location: { latitude: 90.1, longitude: 0 } }],
    ['a longitude beyond half the world', { location: { latitude: 0, longitude: -180.1 } }],
    ['half a place', { location: { latitude: 0 } }],
    ['more than a place', { location: { latitude: 0, longitude: 0, altitude: 0 } }],
    ['an optional field that is null', { originalTransactionId: null }],
    ['an unknown field', { note: 'hello' }],
    ['a field named like a method', { toString: 'hello' }],
    ['a prototype', JSON.parse('{"__proto__":{"admin":true}}')],
  ])('is refused with %s', (_, changes) => {
    const body: unknown = JSON.parse(JSON.stringify(sale()));
    Object.defineProperties(body, Object.getOwnPropertyDescriptors(changes));
    expect(v.is(Transaction, body)).toBe(false);
  });

  it.each([null, [], 'text', 1, true])('is not %j', (value) => {
    expect(v.is(Transaction, value)).toBe(false);
  });

  it('counts positive as a sale, and negative as a refund or reversal', () => {
    expect(signedAmount({ kind: 'sale', amount: 497 })).toBe(497n);
    expect(signedAmount({ kind: 'refund', amount: 497 })).toBe(-497n);
    expect(signedAmount({ kind: 'reversal', amount: 497 })).toBe(-497n);
  });
});

describe('the date of a transaction', () => {
  const calendar = { timeZone: 'America/New_York', cutOff: '17:00' };
  const now = new Date('2026-03-10T16:00:00.000Z');
  const dated = (occurredAt: string) => dateTransaction(sale({ occurredAt }), now, calendar);

  it('follows from the instant at which it occurred', () => {
    expect(dated('2026-03-10T11:59:00-04:00')).toEqual({
      occurredAt: new Date('2026-03-10T15:59:00.000Z'),
      businessDate: '2026-03-10',
    });
    expect(dated('2026-03-09T17:00:00-04:00')).toMatchObject({ businessDate: '2026-03-10' });
    expect(dated('2026-03-09T16:59:59.999-04:00')).toMatchObject({ businessDate: '2026-03-09' });
  });

  it('may be 5 minutes ahead of the clock, and not a millisecond more', () => {
    expect(dated('2026-03-10T16:05:00.000Z')).toMatchObject({ businessDate: '2026-03-10' });
    expect(dated('2026-03-10T16:05:00.001Z')).toMatchObject({ refusal: { type: 'occurred-at-in-future' } });
  });

  it('may be 30 days back, and not a millisecond more', () => {
    expect(dated('2026-02-08T16:00:00.000Z')).toMatchObject({ businessDate: '2026-02-08' });
    expect(dated('2026-02-08T15:59:59.999Z')).toMatchObject({ refusal: { type: 'occurred-at-too-old' } });
  });
});
