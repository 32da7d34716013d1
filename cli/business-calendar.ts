import type { BusinessCalendar } from '../lambda/card-settlement/domain/business-date.ts';

/** The calendar of every stage. */
export const businessCalendar: BusinessCalendar = { timeZone: 'America/New_York', cutOff: '17:00' };
