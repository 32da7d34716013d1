/** The clock, where a function is given one. */
export const systemClock = (): Date => new Date();
