import type { RuleVerdict } from '../settlement.ts';
import { millisecondsBetween, type PastUse, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';

/** Faster than a person can shop. */
export function burst(
  subject: Subject,
  sales: readonly PastUse[],
  settings: FraudSettings['burst'],
): RuleVerdict | undefined {
  const { score, windowMinutes } = settings;
  const earlierUses = countWithin(windowMinutes * 60_000, subject, sales);
  if (earlierUses < settings.earlierUses) return undefined;
  return { rule: 'burst', score, inputs: { earlierUses, windowMinutes } };
}

/** More than people use a card in half a day. */
export function velocity(
  subject: Subject,
  sales: readonly PastUse[],
  settings: FraudSettings['velocity'],
): RuleVerdict | undefined {
  const { score, windowHours } = settings;
  const earlierUses = countWithin(windowHours * 3_600_000, subject, sales);
  if (earlierUses < settings.earlierUses) return undefined;
  return { rule: 'velocity', score, inputs: { earlierUses, windowHours } };
}

function countWithin(windowMilliseconds: number, subject: Subject, sales: readonly PastUse[]): number {
  return sales.filter((sale) => millisecondsBetween(sale, subject) <= windowMilliseconds).length;
}
