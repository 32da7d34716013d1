import type { RuleVerdict } from '../settlement.ts';
import type { Transaction } from '../transaction.ts';
import { millisecondsBetween, type PastUse, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';

type Place = NonNullable<Transaction['location']>;

export function impossibleTravel(
  subject: Subject,
  sales: readonly PastUse[],
  settings: FraudSettings['impossibleTravel'],
): RuleVerdict | undefined {
  const { location } = subject;
  if (location === undefined) return undefined;
  for (const sale of sales) {
    const hours = millisecondsBetween(sale, subject) / 3_600_000;
    if (sale.location === undefined || hours > settings.windowHours) continue;
    const kilometres = kilometresBetween(sale.location, location);
    // Not divided: two places at one instant are infinitely fast.
    if (kilometres < settings.kilometres || kilometres < settings.kilometresPerHour * hours) continue;
    return {
      rule: 'impossible-travel',
      score: settings.score,
      inputs: {
        otherTransactionId: sale.factId,
        kilometres: Math.round(kilometres),
        seconds: Math.round(hours * 3600),
        ...(hours === 0 ? {} : { kilometresPerHour: Math.round(kilometres / hours) }),
      },
    };
  }
  return undefined;
}

/** Mean radius of the Earth (IUGG). */
const EARTH_RADIUS_KILOMETRES = 6371.0088;

/** Haversine formula: within 0.5 % of the way along the ellipsoid. */
export function kilometresBetween(one: Place, other: Place): number {
  const latitude = radians(other.latitude - one.latitude) / 2;
  const longitude = radians(other.longitude - one.longitude) / 2;
  const chord =
    Math.sin(latitude) ** 2 +
    Math.cos(radians(one.latitude)) * Math.cos(radians(other.latitude)) * Math.sin(longitude) ** 2;
  // Rounding may push antipodes past 1.
  return 2 * EARTH_RADIUS_KILOMETRES * Math.asin(Math.sqrt(Math.min(1, chord)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
