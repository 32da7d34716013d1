import * as v from 'valibot';

const Score = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000));
const Amount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const Hour = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(23));

/** docs/fraud-rules.md explains the numbers and their sources. */
export const FraudSettings = v.strictObject({
  holdScore: Score,
  cardTesting: v.strictObject({ score: Score, cards: Amount, windowMinutes: Amount }),
  impossibleTravel: v.strictObject({
    score: Score,
    kilometres: Amount,
    kilometresPerHour: Amount,
    windowHours: Amount,
  }),
  burst: v.strictObject({ score: Score, earlierUses: Amount, windowMinutes: Amount }),
  duplicate: v.strictObject({ score: Score, windowMinutes: Amount }),
  nightLarge: v.strictObject({ score: Score, fromHour: Hour, untilHour: Hour, amountUsd: Amount }),
  /** More than `timesMean` times the mean of at least `earlierUses` sales. */
  amountSpike: v.strictObject({ score: Score, timesMean: Amount, earlierUses: Amount, windowDays: Amount }),
  velocity: v.strictObject({ score: Score, earlierUses: Amount, windowHours: Amount }),
  highRiskCategory: v.strictObject({
    score: Score,
    categories: v.pipe(v.array(v.pipe(v.string(), v.regex(/^\d{4}$/))), v.maxLength(100)),
  }),
});
export type FraudSettings = v.InferOutput<typeof FraudSettings>;
