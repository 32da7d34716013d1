import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { mergeJoin, mergeSorted, type Pages } from '../../lambda/card-settlement/domain/merge-join.ts';

/** Goal: the walk over both books sees everything once. Method: random pages, empty ones too, against a join by hand. */

interface Item {
  readonly key: string;
  readonly from: number;
}

const key = fc.stringMatching(/^[ab#-]{0,4}$/);
/** Sizes of pages, used in turn; 0 for a page without items, as a filter or a full megabyte may leave. */
const pageSizes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 });

function paged<T>(items: readonly T[], sizes: readonly number[], opened?: () => void): Pages<T> {
  return (async function* () {
    let position = 0;
    // An all-empty cycle would never end: every fifth page has an item at least.
    for (let turn = 0; position < items.length; turn++) {
      const size = turn % 5 === 4 ? 1 : (sizes[turn % sizes.length] ?? 1);
      opened?.();
      yield await Promise.resolve(items.slice(position, position + size));
      position += size;
    }
  })();
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function* itemsOf<T>(pages: Pages<T>): AsyncGenerator<T, void, undefined> {
  for await (const page of pages) yield* page;
}

async function* failing(): AsyncGenerator<readonly string[], void, undefined> {
  yield await Promise.resolve(['a']);
  throw new Error('throttled');
}

function identity(each: string): string {
  return each;
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

describe('a merge of sorted streams', () => {
  it('is their sorted union, equal keys in the order of the streams', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(key, { maxLength: 12 }), pageSizes), { maxLength: 16 }),
        async (streams) => {
          const sorted = streams.map(([keys, sizes], from) => ({
            items: keys.toSorted().map((each): Item => ({ key: each, from })),
            sizes,
          }));
          const merged = await collect(
            mergeSorted(
              sorted.map(({ items, sizes }) => paged(items, sizes)),
              (item) => item.key,
            ),
          );
          expect(merged).toEqual(sorted.flatMap(({ items }) => items).toSorted(byKey));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('asks for no page before it has used up the one before: memory does not grow with the books', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(key, { maxLength: 20 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        async (streams, size) => {
          const pagesAsked = streams.map(() => 0);
          const sources = streams.map((keys, from) =>
            paged(
              keys.toSorted().map((each): Item => ({ key: each, from })),
              [size],
              () => (pagesAsked[from] = (pagesAsked[from] ?? 0) + 1),
            ),
          );
          const taken = streams.map(() => 0);
          for await (const { from } of mergeSorted(sources, (item) => item.key)) {
            taken[from] = (taken[from] ?? 0) + 1;
            for (const [stream, asked] of pagesAsked.entries()) {
              // Every page asked for but the last is used up; pages hold `size`, each fifth a single one.
              const before = Array.from({ length: Math.max(0, asked - 1) }, (_, turn) =>
                turn % 5 === 4 ? 1 : size,
              );
              expect(before.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(taken[stream] ?? 0);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stops reading when its reader stops', async () => {
    let asked = 0;
    const source = paged([1, 2, 3, 4, 5, 6], [1], () => (asked += 1));
    for await (const item of mergeSorted([source], (number) => String(number))) if (item === 2) break;
    expect(asked).toBe(2);
  });
});

describe('a join of two sorted streams', () => {
  it('is the full outer join, in order, however unequal the sides', async () => {
    const side = fc.oneof(
      fc.uniqueArray(key, { maxLength: 30 }),
      fc.uniqueArray(key, { maxLength: 2 }),
      fc.constant<string[]>([]),
    );
    await fc.assert(
      fc.asyncProperty(side, side, pageSizes, pageSizes, async (left, right, leftSizes, rightSizes) => {
        const joined = await collect(
          itemsOf(
            mergeJoin(
              paged(left.toSorted(), leftSizes),
              identity,
              paged(right.toSorted(), rightSizes),
              identity,
            ),
          ),
        );
        const naive = [...new Set([...left, ...right])].toSorted().map((each) => ({
          ...(left.includes(each) ? { left: each } : {}),
          ...(right.includes(each) ? { right: each } : {}),
        }));
        expect(joined).toEqual(naive);
      }),
      { numRuns: 300 },
    );
  });

  it('turns a page of either side only once it is used up', async () => {
    const [leftSize, rightSize] = [7, 3];
    let [leftPages, rightPages, lefts, rights] = [0, 0, 0, 0];
    const left = Array.from({ length: 50 }, (_, index) => String(2 * index).padStart(3, '0'));
    const right = Array.from({ length: 50 }, (_, index) => String(3 * index).padStart(3, '0'));
    const pairs = mergeJoin(
      paged(left, [leftSize], () => (leftPages += 1)),
      identity,
      paged(right, [rightSize], () => (rightPages += 1)),
      identity,
    );
    for await (const page of pairs) {
      lefts += page.filter((pair) => pair.left !== undefined).length;
      rights += page.filter((pair) => pair.right !== undefined).length;
      expect(leftPages).toBeLessThanOrEqual(Math.ceil(lefts / leftSize) + 1);
      expect(page.length).toBeLessThanOrEqual(leftSize + rightSize);
    }
    expect([lefts, rights]).toEqual([50, 50]);
  });

  it('passes on a failure of either side', async () => {
    await expect(collect(mergeJoin(failing(), identity, paged(['b'], [1]), identity))).rejects.toThrow(
      'throttled',
    );
    await expect(collect(mergeJoin(paged(['b'], [1]), identity, failing(), identity))).rejects.toThrow(
      'throttled',
    );
  });
});
