import type { FxRates } from '../fx.ts';
import type { Assessment } from '../settlement.ts';
import { amountSpike, nightLarge } from './amounts.ts';
import { cardTesting } from './card-testing.ts';
import { duplicate } from './duplicate.ts';
import { highRiskCategory } from './high-risk-category.ts';
import type { PastSmallSale, PastUse, Subject } from './history.ts';
import { impossibleTravel } from './impossible-travel.ts';
import type { FraudSettings } from './settings.ts';
import { burst, velocity } from './uses.ts';

export interface Seen {
  readonly uses: readonly PastUse[];
  readonly smallSales: readonly PastSmallSale[];
}

/** Refunds are checked only for duplicates, and are no uses of a card: what is known of fraud is known of sales. */
export function assess(
  subject: Subject,
  seen: Seen,
  rates: FxRates | undefined,
  settings: FraudSettings,
): Assessment {
  const sales = seen.uses.filter(({ kind }) => kind === 'sale');
  const verdicts =
    subject.kind === 'sale'
      ? [
          cardTesting(subject, seen.smallSales, settings.cardTesting),
          impossibleTravel(subject, sales, settings.impossibleTravel),
          burst(subject, sales, settings.burst),
          duplicate(subject, sales, settings.duplicate),
          nightLarge(subject, rates, settings.nightLarge),
          amountSpike(subject, sales, rates, settings.amountSpike),
          velocity(subject, sales, settings.velocity),
          highRiskCategory(subject, settings.highRiskCategory),
        ]
      : [duplicate(subject, seen.uses, settings.duplicate)];
  const rules = verdicts.filter((verdict) => verdict !== undefined);
  return { score: rules.reduce((sum, { score }) => sum + score, 0), rules };
}

export function cardWindowMilliseconds({ kind }: Pick<Subject, 'kind'>, settings: FraudSettings): number {
  const { amountSpike: spike, velocity: fast, impossibleTravel: travel, burst: faster } = settings;
  const duplicates = settings.duplicate.windowMinutes * 60_000;
  if (kind !== 'sale') return duplicates;
  return Math.max(
    duplicates,
    spike.windowDays * 86_400_000,
    fast.windowHours * 3_600_000,
    travel.windowHours * 3_600_000,
    faster.windowMinutes * 60_000,
  );
}
