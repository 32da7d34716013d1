export interface ThrottleLimits {
  /** Requests per second. */
  readonly rateLimit: number;
  readonly burstLimit: number;
}

/** Takes one token if there is one, and says whether there was. */
export type TakeToken = () => boolean;

/**
 * The throttle of API Gateway: it holds `burstLimit` tokens when full and gains `rateLimit` of them per second.
 *
 * @param now milliseconds of a clock that never runs backwards
 */
export function createTokenBucket(
  limits: ThrottleLimits,
  now: () => number = () => performance.now(),
): TakeToken {
  let tokens = limits.burstLimit;
  let filledAt = now();
  return () => {
    const at = now();
    tokens = Math.min(limits.burstLimit, tokens + ((at - filledAt) / 1000) * limits.rateLimit);
    filledAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
