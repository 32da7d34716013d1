import type { FxRates } from '../fx.ts';
import type { Ratio } from '../money.ts';
import type { RuleVerdict } from '../settlement.ts';
import { millisecondsBetween, type PastUse, type Subject } from './history.ts';
import type { FraudSettings } from './settings.ts';
import { centsPerMinorUnit, COMPARED_IN, decimalText, isMoreThan, plus, times } from './value.ts';

/** Does not apply without a rate for the currency. */
export function nightLarge(
  subject: Subject,
  rates: FxRates | undefined,
  settings: FraudSettings['nightLarge'],
): RuleVerdict | undefined {
  if (!isNight(subject.localHour, settings)) return undefined;
  const cents = centsPerMinorUnit(subject.currency, rates);
  if (cents === undefined) return undefined;
  const amount = times(cents, BigInt(subject.amount));
  if (!isMoreThan(amount, { numerator: BigInt(settings.amountUsd) * 100n, denominator: 1n }))
    return undefined;
  return {
    rule: 'night-large',
    score: settings.score,
    inputs: {
      localHour: subject.localHour,
      amount: decimalText(amount, COMPARED_IN),
      currency: COMPARED_IN,
    },
  };
}

function isNight(hour: number, { fromHour, untilHour }: FraudSettings['nightLarge']): boolean {
  return fromHour <= untilHour ? hour >= fromHour && hour < untilHour : hour >= fromHour || hour < untilHour;
}

/** Sales in other currencies count if the day has rates for them. */
export function amountSpike(
  subject: Subject,
  sales: readonly PastUse[],
  rates: FxRates | undefined,
  settings: FraudSettings['amountSpike'],
): RuleVerdict | undefined {
  const usd = centsPerMinorUnit(subject.currency, rates);
  const comparedIn = usd === undefined ? subject.currency : COMPARED_IN;
  const worthOf = (currency: string): Ratio | undefined =>
    usd === undefined
      ? currency === subject.currency
        ? { numerator: 1n, denominator: 1n }
        : undefined
      : centsPerMinorUnit(currency, rates);

  // By currency first: the sum of a thousand fractions would have a denominator of thousands of digits.
  const amounts = new Map<string, { readonly sum: bigint; readonly count: number }>();
  for (const sale of sales) {
    if (millisecondsBetween(sale, subject) > settings.windowDays * 86_400_000) continue;
    const { currency, amount } = sale;
    const { sum, count } = amounts.get(currency) ?? { sum: 0n, count: 0 };
    amounts.set(currency, { sum: sum + BigInt(amount), count: count + 1 });
  }
  let total: Ratio = { numerator: 0n, denominator: 1n };
  let earlierUses = 0;
  for (const [currency, { sum, count }] of amounts) {
    const worth = worthOf(currency);
    if (worth === undefined) continue;
    total = plus(total, times(worth, sum));
    earlierUses += count;
  }
  const amount = times(
    worthOf(subject.currency) ?? { numerator: 1n, denominator: 1n },
    BigInt(subject.amount),
  );
  // amount > times × total / earlierUses, multiplied out, so that the mean is not rounded.
  if (
    earlierUses < settings.earlierUses ||
    !isMoreThan(times(amount, BigInt(earlierUses)), times(total, BigInt(settings.timesMean)))
  )
    return undefined;
  return {
    rule: 'amount-spike',
    score: settings.score,
    inputs: {
      amount: decimalText(amount, comparedIn),
      mean: decimalText({ ...total, denominator: total.denominator * BigInt(earlierUses) }, comparedIn),
      currency: comparedIn,
      earlierUses,
      windowDays: settings.windowDays,
    },
  };
}

/** The currencies whose rates are needed. None by day if all sales share one currency: then nothing is converted. */
export function currenciesCompared(
  subject: Subject,
  sales: readonly PastUse[],
  settings: FraudSettings,
): readonly string[] {
  const currencies = new Set([subject.currency, ...sales.map(({ currency }) => currency)]);
  if (currencies.size === 1 && !isNight(subject.localHour, settings.nightLarge)) return [];
  return [...currencies].filter((currency) => currency !== COMPARED_IN);
}
