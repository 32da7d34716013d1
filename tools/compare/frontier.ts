import type { Cell } from './cell.ts';

const LEAST_DOLLARS_PER_MILLION = 0.01;

/**
 * The cells that no other one beats in dollars and in the 99th percentile of the wait, the quickest first. Each saves at
 * least a cent per million.
 */
export function frontierOf(cells: readonly Cell[]): readonly Cell[] {
  const byWait = cells
    .filter(({ fallsBehind, batchSize, windowSeconds }) => {
      // A window does nothing to batches of one.
      const hasIdleWindow = batchSize === 1 && windowSeconds > 0;
      return !fallsBehind && !hasIdleWindow;
    })
    .toSorted(
      (one, other) =>
        one.waitSeconds.p99 - other.waitSeconds.p99 || one.dollarsPerMillion - other.dollarsPerMillion,
    );
  const frontier: Cell[] = [];
  for (const cell of byWait)
    if (
      cell.dollarsPerMillion <=
      (frontier.at(-1)?.dollarsPerMillion ?? Infinity) - LEAST_DOLLARS_PER_MILLION
    )
      frontier.push(cell);
  return frontier;
}
