/** How long a staged fact is kept, from its staging on. Facts of a date are staged from the day before it on. */
export const STAGED_KEPT_DAYS = 400;

/**
 * How long a business day can be reconciled. Then its facts are all still there: a run that came later would find entries
 * in the ledger that nobody seems to have staged.
 */
export const RECONCILED_DAYS = 390;
