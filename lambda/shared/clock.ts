export const systemClock = (): Date => new Date();

export function timeLimit(milliseconds: number): () => boolean {
  const endsAt = performance.now() + milliseconds;
  return () => performance.now() >= endsAt;
}
