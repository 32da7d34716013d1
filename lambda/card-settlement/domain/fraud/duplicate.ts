import type { RuleVerdict } from '../settlement.ts';
import { millisecondsBetween, type PastUse, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';

/** The same purchase under another idempotency key. Only the later one counts. */
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
