import type { BalancedDay, BusinessDay } from './business-day.ts';

const MINUTE = 60_000;
/** Stragglers, which should not exist, show up to this long after a day was balanced. */
const LAST_WALK_MINUTES = 48 * 60;
const FIRST_WALK_MINUTES = 15;

export function isDue(day: BusinessDay, now: Date): boolean {
  return day.status !== 'balanced' || isWalkDue(day, now);
}

/**
 * A balanced day is walked again each time it has been balanced twice as long as at the last walk, until 48 h: some
 * eight walks. A walk reads both books whole, so one every 15 minutes would cost more than all else done for a sale.
 */
export function isWalkDue(day: Pick<BalancedDay, 'balancedAt' | 'asOf'>, now: Date): boolean {
  const balancedAt = Date.parse(day.balancedAt);
  const walkedAfterMinutes = (Date.parse(day.asOf ?? day.balancedAt) - balancedAt) / MINUTE;
  if (walkedAfterMinutes >= LAST_WALK_MINUTES) return false;
  const nextWalkMinutes = Math.max(FIRST_WALK_MINUTES, Math.min(2 * walkedAfterMinutes, LAST_WALK_MINUTES));
  return now.getTime() - balancedAt >= nextWalkMinutes * MINUTE;
}
