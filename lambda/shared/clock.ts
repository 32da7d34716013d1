/** The clock, where a function is given one. */
export const systemClock = (): Date => new Date();

/** @returns whether so much time has gone by since */
export function timeLimit(milliseconds: number): () => boolean {
  const endsAt = performance.now() + milliseconds;
  return () => performance.now() >= endsAt;
}
