import { describe, expect, it } from '@jest/globals';
import { simulateBacklog, type BacklogLoad } from '../../tools/limits/backlog.ts';

/**
 * Goal: a backlog that takes hours is neither sent again nor called a break, and what is lost or cannot be settled is, in
 * bounded time. Method: the model of `npm run limits -- backlog`, smaller: 40,000 facts, ten settled a second, so that
 * the last waits four times as long as a message may take.
 */

const load: BacklogLoad = { staged: 40_000, settledPerSecond: 10, untilSeconds: 86_400 };
/** What the horizon and the schedule may add to the time that settling takes. */
const PATIENCE_SECONDS = 3 * 960;

describe('a backlog that takes longer than the horizon', () => {
  it('is sent once, and is no break', () => {
    const result = simulateBacklog(load);
    expect(result).toMatchObject({ messagesPerFact: 1, falselyNamed: 0, namedAfterSeconds: undefined });
    expect(result.balancedAfterSeconds).toBeLessThan(4000 + PATIENCE_SECONDS);
  });

  it('is sent hardly more than once when runs die of it', () => {
    const result = simulateBacklog({ ...load, deaths: 3 });
    expect(result.messagesPerFact).toBeLessThanOrEqual(1.1);
    expect(result.falselyNamed).toBe(0);
    expect(result.balancedAfterSeconds).toBeLessThan(4000 + 4 * 900 + PATIENCE_SECONDS);
  });

  it('has what was lost named and sent again once it is done', () => {
    const result = simulateBacklog({ ...load, lostEvery: 100 });
    expect(result.messagesPerFact).toBeLessThanOrEqual(1.1);
    expect(result.falselyNamed).toBe(0);
    expect(result.namedAfterSeconds).toBeLessThan(4000 + PATIENCE_SECONDS);
    expect(result.balancedAfterSeconds).toBeLessThan(4000 + 2 * PATIENCE_SECONDS);
  });

  it('has what cannot be settled named', () => {
    const result = simulateBacklog({ ...load, poisoned: 5, untilSeconds: 4 * 3600 });
    expect(result.balancedAfterSeconds).toBeUndefined();
    expect(result.namedAfterSeconds).toBeLessThan(4000 + PATIENCE_SECONDS);
    expect(result.messagesPerFact).toBeLessThanOrEqual(1.1);
  });

  it('has a few that are lost sent again although the queue is never empty', () => {
    const result = simulateBacklog({ ...load, staged: 4000, lostEvery: 100, others: 20_000 });
    expect(result.messagesPerFact).toBeLessThanOrEqual(1.1);
    expect(result.falselyNamed).toBe(0);
    expect(result.balancedAfterSeconds).toBeLessThan(400 + 3 * PATIENCE_SECONDS);
  });
});
