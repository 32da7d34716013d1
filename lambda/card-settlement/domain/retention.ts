export const STAGED_KEPT_DAYS = 400;

/** After that a day's facts begin to expire, and their entries would look unstaged. */
export const RECONCILED_DAYS = 390;
