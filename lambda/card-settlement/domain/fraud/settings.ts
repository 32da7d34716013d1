import * as v from 'valibot';

const Score = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000));
const Amount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const Hour = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(23));

/**
 * Scores and thresholds of the fraud rules: JSON in one environment variable. What the numbers mean, and where they come
 * from, is in docs/fraud-rules.md.
 */
export const FraudSettings = v.strictObject({
  /** A transaction whose scores add up to this, or to more, is held for review. */
  holdScore: Score,
  cardTesting: v.strictObject({ score: Score, cards: Amount, windowMinutes: Amount }),
  impossibleTravel: v.strictObject({
    score: Score,
    kilometres: Amount,
    kilometresPerHour: Amount,
    windowHours: Amount,
  }),
  /** Applies from this many earlier sales of the card on. */
  burst: v.strictObject({ score: Score, earlierUses: Amount, windowMinutes: Amount }),
  duplicate: v.strictObject({ score: Score, windowMinutes: Amount }),
  /** From the start of the first hour to before the start of the second; more than the amount. */
  nightLarge: v.strictObject({ score: Score, fromHour: Hour, untilHour: Hour, amountUsd: Amount }),
  /** More than `timesMean` times the mean of the earlier sales, from `earlierUses` of them on. */
  amountSpike: v.strictObject({ score: Score, timesMean: Amount, earlierUses: Amount, windowDays: Amount }),
  velocity: v.strictObject({ score: Score, earlierUses: Amount, windowHours: Amount }),
  /** ISO 18245. */
  highRiskCategory: v.strictObject({
    score: Score,
    categories: v.pipe(v.array(v.pipe(v.string(), v.regex(/^\d{4}$/))), v.maxLength(100)),
  }),
});
export type FraudSettings = v.InferOutput<typeof FraudSettings>;
