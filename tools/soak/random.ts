/** Numbers that look like chance, and are the same again for the same seed. */
export interface Random {
  /** From 0 up to, and without, 1. */
  readonly next: () => number;
  /** A whole number from `minimum` to `maximum`, both included. */
  readonly whole: (minimum: number, maximum: number) => number;
  /** True so often. */
  readonly chance: (probability: number) => boolean;
  /** @throws RangeError if there is nothing to pick from */
  readonly pick: <T>(items: readonly T[]) => T;
}

/**
 * Mulberry32: 32 bits of state, which is plenty for choosing among loads and faults. Source: Tommy Ettinger, public
 * domain.
 *
 * @param purpose each gets a sequence of its own, so that what one draws does not shift another
 */
export function seededRandom(seed: number, purpose: string): Random {
  let state = seed | 0;
  for (const character of purpose) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x9e3779b1);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    whole: (minimum, maximum) => minimum + Math.floor(next() * (maximum - minimum + 1)),
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new RangeError('There is nothing to pick from.');
      return item;
    },
  };
}
