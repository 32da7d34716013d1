import type { RuleVerdict } from '../settlement.ts';
import type { Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';

/** Merchants where stolen cards become cash: money transfer, pharmacies, betting, securities. */
export function highRiskCategory(
  { merchantCategoryCode }: Subject,
  { score, categories }: FraudSettings['highRiskCategory'],
): RuleVerdict | undefined {
  if (!categories.includes(merchantCategoryCode)) return undefined;
  return { rule: 'high-risk-category', score, inputs: { merchantCategoryCode } };
}
