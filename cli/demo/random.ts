import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The same for the same seed on every machine. */
export interface Chance {
  /** From 0 to below 1. */
  readonly next: () => number;
  /** Both ends included. */
  readonly whole: (from: number, to: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly percent: (percent: number) => boolean;
  /** Spread evenly on a logarithmic scale. */
  readonly amount: (from: number, to: number) => number;
}

export function seededChance(seed: number): Chance {
  const generator = xoroshiro128plus(seed);
  const next = (): number => uniformFloat64(generator);
  const whole = (from: number, to: number): number => uniformInt(generator, from, to);
  return {
    next,
    whole,
    pick: (items) => {
      const item = items[items.length === 0 ? 0 : whole(0, items.length - 1)];
      if (item === undefined) throw new RangeError('there is nothing to pick from');
      return item;
    },
    percent: (percent) => whole(1, 100) <= percent,
    amount: (from, to) => Math.round(from * (to / from) ** next()),
  };
}
