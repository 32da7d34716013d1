import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { businessCalendar } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { terminalTotalsTable } from '../store/terminal-totals.ts';
import type { TerminalServices } from './record-totals.ts';

export function buildServices(client = createDynamoDbClient()): TerminalServices {
  return {
    calendar: businessCalendar(),
    now: systemClock,
    days: daysTable(client),
    terminalTotals: terminalTotalsTable(client),
  };
}
