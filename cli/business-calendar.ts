import type { BusinessCalendar } from '../lambda/card-settlement/domain/business-date.ts';
import { stageConfig } from '../lib/config.ts';

/** The calendar of a deployment. All stages have the same one, so a command need not know which stage it talks to. */
export const businessCalendar: BusinessCalendar = stageConfig('sandbox').calendar;
