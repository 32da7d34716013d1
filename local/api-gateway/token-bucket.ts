export interface ThrottleLimits {
  /** Requests per second. */
  readonly rateLimit: number;
  readonly burstLimit: number;
}

export type TakeToken = () => boolean;

/** API Gateway's throttle. @param now milliseconds of a clock that never runs backwards */
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
