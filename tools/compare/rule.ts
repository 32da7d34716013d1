import type { Cell } from './cell.ts';
import type { Setting } from './pollers.ts';

/** AWS starts with five pollers, and each batches alone. */
export const POLLERS = 5;

/** What the numbers say of when to batch. */
export interface Rule {
  readonly sentence: string;
  /** Of batches of ten with a window, against none: where arrivals × window are fewer than the pollers, and where not. */
  readonly window: readonly {
    readonly perSecond: number;
    readonly windowSeconds: number;
    readonly arrivals: number;
    readonly pays: boolean;
    readonly messagesPerBatch: number;
    readonly dollarsSaved: number;
    readonly p50SecondsAdded: number;
  }[];
  /** The cheapest that each batch size can be, over all windows and rates. */
  readonly cheapest: readonly { readonly batchSize: number; readonly dollarsPerMillion: number }[];
}

/**
 * A window begins with a poller's first message. In a window of w seconds the poller gets its share of the arrivals at
 * rate r, so that a batch has 1 + r × w / pollers messages: a second one only where r × w reaches the pollers.
 */
export function expectedBatch({
  batchSize,
  windowSeconds,
  perSecond,
}: Setting & { readonly perSecond: number }): number {
  return Math.min(batchSize, 1 + (perSecond * windowSeconds) / POLLERS);
}

export function ruleOf(cells: readonly Cell[]): Rule {
  const of = (batchSize: number, windowSeconds: number, perSecond: number): Cell | undefined =>
    cells.find(
      (cell) =>
        cell.batchSize === batchSize && cell.windowSeconds === windowSeconds && cell.perSecond === perSecond,
    );
  const window = cells
    .filter((cell) => cell.batchSize === 10 && cell.windowSeconds > 0)
    .flatMap((cell) => {
      const none = of(10, 0, cell.perSecond);
      if (none === undefined) return [];
      const arrivals = cell.perSecond * cell.windowSeconds;
      return {
        perSecond: cell.perSecond,
        windowSeconds: cell.windowSeconds,
        arrivals,
        pays: arrivals >= POLLERS,
        messagesPerBatch: cell.messagesPerBatch,
        dollarsSaved: none.dollarsPerMillion - cell.dollarsPerMillion,
        p50SecondsAdded: cell.waitSeconds.p50 - none.waitSeconds.p50,
      };
    });
  const sizes = [...new Set(cells.map(({ batchSize }) => batchSize))];
  const cheapest = sizes.map((batchSize) => ({
    batchSize,
    dollarsPerMillion: Math.min(
      ...cells.filter((cell) => cell.batchSize === batchSize).map((cell) => cell.dollarsPerMillion),
    ),
  }));
  return {
    sentence:
      'If somebody waits for the answer, batch size 1 and no window; if nobody waits and arrivals × window are at least the pollers (five), batch size 10 and that window; past ten almost nothing is left to save.',
    window,
    cheapest,
  };
}
