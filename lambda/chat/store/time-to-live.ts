/** Seconds since 1970. */
export function timeToLive(from: Date, days: number): number {
  return Math.floor(from.getTime() / 1000) + days * 86_400;
}
