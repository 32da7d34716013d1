import type { Setting } from './pollers.ts';

export const BATCH_SIZES = [1, 2, 5, 10, 100, 1000] as const;
export const WINDOWS_SECONDS = [0, 1, 5, 10, 60] as const;
/** Messages a second. */
export const RATES = [0.1, 1, 10, 100, 1000] as const;

export const settings: readonly Setting[] = BATCH_SIZES.flatMap((batchSize) =>
  WINDOWS_SECONDS.map((windowSeconds) => ({ batchSize, windowSeconds })),
);

/** Lambda refuses a batch size over 10 without a window. [lambda/latest/dg/services-sqs-configure] */
export function isRefused({ batchSize, windowSeconds }: Setting): boolean {
  return batchSize > 10 && windowSeconds < 1;
}
