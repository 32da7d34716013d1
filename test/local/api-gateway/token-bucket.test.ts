import { describe, expect, test } from '@jest/globals';
import { createTokenBucket } from '../../../local/api-gateway/token-bucket.ts';

function aBucket(rateLimit: number, burstLimit: number) {
  let milliseconds = 0;
  const take = createTokenBucket({ rateLimit, burstLimit }, () => milliseconds);
  const takeMany = (count: number) => Array.from({ length: count }, take).filter(Boolean).length;
  return { takeMany, pass: (elapsed: number) => void (milliseconds += elapsed) };
}

describe('the token bucket', () => {
  test('lets a burst through, and no more at once', () => {
    const { takeMany } = aBucket(10, 5);
    expect(takeMany(20)).toBe(5);
  });

  test('is refilled at the rate, also by fractions of a token', () => {
    const { takeMany, pass } = aBucket(10, 5);
    takeMany(5);
    pass(99);
    expect(takeMany(5)).toBe(0);
    pass(2);
    expect(takeMany(5)).toBe(1);
    pass(300);
    expect(takeMany(5)).toBe(3);
  });

  test('never holds more than the burst', () => {
    const { takeMany, pass } = aBucket(10, 5);
    pass(3_600_000);
    expect(takeMany(20)).toBe(5);
  });

  test('of rate 0 and burst 0 refuses everything', () => {
    const { takeMany, pass } = aBucket(0, 0);
    pass(3_600_000);
    expect(takeMany(3)).toBe(0);
  });
});
