import type { RuleVerdict } from '../settlement.ts';
import { millisecondsBetween, type PastUse, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';

/**
 * The same card, merchant, kind, amount and currency again under another idempotency key. Only later ones count, each
 * within the window after the one before.
 */
export function duplicate(
  subject: Subject,
  history: readonly PastUse[],
  settings: FraudSettings['duplicate'],
): RuleVerdict | undefined {
  const other = history.find(
    (past) =>
      past.merchantId === subject.merchantId &&
      past.kind === subject.kind &&
      past.amount === subject.amount &&
      past.currency === subject.currency &&
      millisecondsBetween(past, subject) <= settings.windowMinutes * 60_000,
  );
  if (other === undefined) return undefined;
  return {
    rule: 'duplicate',
    score: settings.score,
    inputs: {
      otherTransactionId: other.factId,
      seconds: Math.round(millisecondsBetween(other, subject) / 1000),
    },
  };
}
