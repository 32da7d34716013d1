import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { bodyDigest, sortKeyOf, transactionIdOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import { partitionOf, partitionsOf } from '../../lambda/card-settlement/store/keys.ts';

const identifier = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
/** Short and alike: what collides if parts are only put side by side. */
const similar = fc.stringMatching(/^[ab#_-]{1,3}$/);
const parts = fc.tuple(similar, similar, similar);

describe('the id of a transaction', () => {
  it('is the same for the same client, merchant and key, and for no other', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = one.every((part, index) => part === other[index]);
        expect(transactionIdOf(...one) === transactionIdOf(...other)).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('shards', () => {
  it('take about as many transactions each', () => {
    const counts = new Map<string, number>(partitionsOf('2026-03-10').map((partition) => [partition, 0]));
    for (let number = 0; number < 16_000; number++) {
      const partition = partitionOf('2026-03-10', transactionIdOf('client', 'merchant', `key-${number}`));
      const count = counts.get(partition);
      if (count === undefined) throw new Error(`${partition} is no partition of the date`);
      counts.set(partition, count + 1);
    }
    // 1,000 on average, with a standard deviation of 31.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(155);
  });

  it('keep a decision with its original', () => {
    fc.assert(
      fc.property(identifier, (id) => {
        expect(partitionOf('2026-03-10', `${id}#decision`)).toBe(partitionOf('2026-03-10', id));
      }),
    );
  });
});

describe('the order inside a partition', () => {
  it('has the merchants in order, each in one run', () => {
    const entry = fc.record({ merchantId: identifier, factId: identifier });
    // Merchants whose names begin with each other's are the hard case: "a", "a-", "a0".
    const alike = fc.record({ merchantId: fc.stringMatching(/^a[-0A_a]{0,2}$/), factId: identifier });
    fc.assert(
      fc.property(fc.array(fc.oneof(entry, alike), { maxLength: 30 }), (entries) => {
        const inOrder = entries
          .map((entry) => ({ merchantId: entry.merchantId, key: sortKeyOf(entry) }))
          .toSorted((a, b) => (a.key < b.key ? -1 : 1))
          .map(({ merchantId }) => merchantId);
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      }),
    );
  });

  it('has a decision right behind its original', () => {
    fc.assert(
      fc.property(
        identifier,
        fc.uniqueArray(identifier, { minLength: 1, maxLength: 20 }),
        (merchantId, ids) => {
          const [decided = ''] = ids;
          const keys = [...ids, `${decided}#decision`]
            .map((factId) => sortKeyOf({ merchantId, factId }))
            .toSorted();
          const place = keys.indexOf(sortKeyOf({ merchantId, factId: decided }));
          expect(keys[place + 1]).toBe(sortKeyOf({ merchantId, factId: `${decided}#decision` }));
        },
      ),
    );
  });
});

describe('the digest of a body', () => {
  it('is the same however its members are ordered', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        expect(bodyDigest(Object.fromEntries(Object.entries(body).toReversed()))).toBe(bodyDigest(body));
      }),
    );
  });
});
