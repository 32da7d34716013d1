/** The fraud rules in the order in which they are reported, whether or not one found anything. */
export const fraudRules = [
  'card-testing',
  'impossible-travel',
  'burst',
  'duplicate',
  'night-large',
  'amount-spike',
  'velocity',
  'high-risk-category',
] as const;
