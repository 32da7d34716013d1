import { describe, expect, it } from '@jest/globals';
import { isDue, isWalkDue } from '../../../lambda/card-settlement/domain/later-walks.ts';
import { balancedDay, businessDay, sealedDay } from './card-facts.ts';

const balancedAt = '2026-03-10T21:00:40.000Z';
const hours = (count: number): Date => new Date(Date.parse(balancedAt) + count * 3_600_000);
const walked = (count: number) => ({ balancedAt, asOf: hours(count).toISOString() });

/** Hours after the balance at which a schedule that comes every 15 minutes walks the day. */
function walks(everyHours: number): number[] {
  const found: number[] = [];
  for (let hour = everyHours; hour < 240; hour += everyHours) {
    if (isWalkDue(walked(found.at(-1) ?? 0), hours(hour))) found.push(hour);
  }
  return found;
}

describe('the schedule', () => {
  it('runs a day that is not balanced at every time', () => {
    expect(isDue(businessDay(), hours(0))).toBe(true);
    expect(isDue(sealedDay({ asOf: hours(0).toISOString() }), hours(0))).toBe(true);
    expect(isDue(balancedDay({ balancedAt }), hours(0.2))).toBe(false);
  });

  it('walks a balanced day at twice its age of the walk before, and for the last time after 48 hours', () => {
    expect(walks(0.25)).toEqual([0.25, 0.5, 1, 2, 4, 8, 16, 32, 48]);
  });

  it('makes up for a last walk that was missed', () => {
    expect(walks(60)).toEqual([60]);
    expect(isWalkDue(walked(47.9), hours(48))).toBe(true);
    expect(isWalkDue(walked(48), hours(400))).toBe(false);
  });

  it('walks nothing again right after the balance', () => {
    expect(isWalkDue(walked(0), hours(0.2))).toBe(false);
    expect(isWalkDue({ balancedAt }, hours(0.2))).toBe(false);
    expect(isWalkDue({ balancedAt }, hours(0.25))).toBe(true);
  });
});
