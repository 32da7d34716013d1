import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The same for the same seed. */
export interface Random {
  /** From 0 to below 1. */
  readonly next: () => number;
  /** Both ends included. */
  readonly whole: (minimum: number, maximum: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
}

/** @param purpose has its own sequence: drawing for one does not shift another */
export function seededRandom(seed: number, purpose: string): Random {
  const generator = xoroshiro128plus(
    createHash('sha256').update(`${seed} ${purpose}`).digest().readInt32LE(),
  );
  const next = (): number => uniformFloat64(generator);
  const whole = (minimum: number, maximum: number): number => uniformInt(generator, minimum, maximum);
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[items.length === 0 ? 0 : whole(0, items.length - 1)];
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
  };
}
