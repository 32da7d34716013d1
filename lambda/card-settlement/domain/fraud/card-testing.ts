import type { RuleVerdict } from '../settlement.ts';
import { millisecondsBetween, type PastSmallSale, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';
import { isSmallSale } from './small-amount.ts';

/** Thieves try stolen cards with small amounts, one after another, at a terminal that allows it. */
export function cardTesting(
  subject: Subject,
  smallSales: readonly PastSmallSale[],
  settings: FraudSettings['cardTesting'],
): RuleVerdict | undefined {
  if (!isSmallSale(subject)) return undefined;
  const { score, windowMinutes } = settings;
  const cards = new Set([subject.cardToken]);
  for (const sale of smallSales) {
    if (millisecondsBetween(sale, subject) <= windowMinutes * 60_000) cards.add(sale.cardToken);
  }
  if (cards.size < settings.cards) return undefined;
  const { terminalId } = subject;
  return { rule: 'card-testing', score, inputs: { terminalId, cards: cards.size, windowMinutes } };
}
