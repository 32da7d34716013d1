import type { BusinessDay } from './business-day.ts';

const MINUTE = 60_000;
/** A straggler, which should not exist, shows up to so long after a day was balanced. */
const LAST_WALK_MINUTES = 48 * 60;
const FIRST_WALK_MINUTES = 15;

/**
 * True if the schedule starts a run of a day: always while it is not balanced; then each time it has been balanced for
 * twice as long as at the walk before, and for the last time after 48 h.
 *
 * A walk reads both books whole: one every 15 minutes for 48 h would be 192, and would cost more than all else that is
 * done for a sale. These are some eight.
 */
export function isDue(day: Pick<BusinessDay, 'balancedAt' | 'asOf'>, now: Date): boolean {
  if (day.balancedAt === undefined) return true;
  const balancedAt = Date.parse(day.balancedAt);
  const walkedAfterMinutes = (Date.parse(day.asOf ?? day.balancedAt) - balancedAt) / MINUTE;
  if (walkedAfterMinutes >= LAST_WALK_MINUTES) return false;
  const nextWalkMinutes = Math.max(FIRST_WALK_MINUTES, Math.min(2 * walkedAfterMinutes, LAST_WALK_MINUTES));
  return now.getTime() - balancedAt >= nextWalkMinutes * MINUTE;
}
