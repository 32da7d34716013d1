export const systemClock = (): Date => new Date();

/** @returns a function that tells whether this much time has passed since now */
export function timeLimit(milliseconds: number): () => boolean {
  const endsAt = performance.now() + milliseconds;
  return () => performance.now() >= endsAt;
}
