export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly maximum: number;
}

/** By nearest rank; undefined if there are no values. */
export function percentiles(values: readonly number[]): Percentiles | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  const maximum = sorted.at(-1);
  if (maximum === undefined) return undefined;
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? maximum;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), maximum };
}
