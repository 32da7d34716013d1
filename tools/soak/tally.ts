/** Counts by name, in the order in which the names came up. */
export interface Tally {
  readonly add: (name: string, count?: number) => void;
  readonly counts: () => Record<string, number>;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  return {
    add: (name, count = 1) => {
      if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
    },
    counts: () => Object.fromEntries(counts),
  };
}
