/** A staged fact is kept for so long after its staging. */
export const STAGED_KEPT_DAYS = 400;

/**
 * A business day can be reconciled for so long: after that its facts begin to expire, and their entries would look
 * unstaged.
 */
export const RECONCILED_DAYS = 390;
