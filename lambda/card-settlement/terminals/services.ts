import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { recordTerminalTotals } from '../store/terminal-totals.ts';
import type { TerminalServices } from './record-totals.ts';

/** The ports, on the table that the environment names. */
export function buildServices(): TerminalServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now: systemClock,
    // Most reports are of days that are known: a read is cheaper than a write that is refused.
    beginDay: async (date) =>
      (await readDay(client, table, date)) ?? beginDay(client, table, date, systemClock()),
    record: (businessDate, report) =>
      recordTerminalTotals(client, table, businessDate, report, systemClock()),
  };
}
