import { describe, expect, it } from '@jest/globals';
import { bodyDigest, transactionIdOf } from '../../../lambda/card-settlement/domain/identifiers.ts';
import { partitionOf, partitionsOf } from '../../../lambda/card-settlement/store/keys.ts';

/** Literal values: what is stored was derived with them, so a change would lose every transaction of yesterday. */
describe('identifiers of stored things', () => {
  it('stay what they are', () => {
    expect(transactionIdOf('gateway-client', 'mer_12764b37', 'key-1')).toBe(
      '834307d2b6d7e1d52c4ef69ce3543f51',
    );
    expect(transactionIdOf('gateway-client', 'mer_12764b37', 'key-2')).toBe(
      'b0f8065881dd11056f1688c3e0234638',
    );
    expect(partitionOf('2026-03-10', 'c0ffee00c0ffee00c0ffee00c0ffee00')).toBe('2026-03-10#06');
    expect(partitionOf('2026-03-10', '0b242abb623afc578575680df30655b9')).toBe('2026-03-10#01');
    expect(bodyDigest({ merchantId: 'm', amount: 497, location: { latitude: 1.5, longitude: 2 } })).toBe(
      '0a799eff64d2b27a0f8d9796b517cc00',
    );
  });

  it('are 32 hex digits', () => {
    expect(transactionIdOf('a', 'b', 'c')).toMatch(/^[0-9a-f]{32}$/);
  });

  it('list the sixteen partitions of a date in order', () => {
    const partitions = partitionsOf('2026-03-10');
    expect(partitions).toHaveLength(16);
    expect(partitions[0]).toBe('2026-03-10#00');
    expect(partitions[15]).toBe('2026-03-10#15');
    expect(partitions.toSorted()).toEqual(partitions);
  });
});

describe('the digest of a body', () => {
  it('does not depend on the order of members, at any depth', () => {
    expect(bodyDigest({ a: 1, b: { c: [{ d: 1, e: 2 }] } })).toBe(
      bodyDigest({ b: { c: [{ e: 2, d: 1 }] }, a: 1 }),
    );
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: 1 }, { a: 1, b: null }],
    [{ a: { b: 1 } }, { a: { c: 1 } }],
  ])('tells %j from %j', (one, other) => {
    expect(bodyDigest(one)).not.toBe(bodyDigest(other));
  });
});
