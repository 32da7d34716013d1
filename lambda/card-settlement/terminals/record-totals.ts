import { logger } from '../../shared/log.ts';
import { problem } from '../api.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import type { TerminalReport } from '../domain/terminal-totals.ts';
import { AGE_LIMIT_DAYS } from '../domain/transaction.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { TerminalTotalsTable } from '../store/terminal-totals.ts';

export interface TerminalServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly days: Pick<DaysTable, 'read' | 'begin'>;
  readonly terminalTotals: Pick<TerminalTotalsTable, 'record'>;
}

/** As old as a transaction may be, and a day more because clocks change. */
const BACK_DAYS = AGE_LIMIT_DAYS + 1;

/** Every run compares these with what was staged. @throws Problem 422: date out of range, or too many terminals */
export async function recordTotals(
  businessDate: BusinessDate,
  report: TerminalReport,
  services: TerminalServices,
): Promise<void> {
  const { terminalId, totals } = report;
  const now = services.now();
  const today = businessDateOf(now, services.calendar);
  if (businessDate > today || businessDate < addDays(today, -BACK_DAYS)) {
    throw problem('date-out-of-range', {
      detail: `The open business date is ${today}; totals may be reported until ${BACK_DAYS} days later.`,
    });
  }
  // If none of a terminal's sales arrived, only its report makes the date known.
  if (totals.some(({ count }) => count > 0)) {
    // Most days are known, and a read is cheaper than a refused write.
    const day = await services.days.read(businessDate);
    if (day === undefined) await services.days.begin(businessDate, now);
  }
  if ((await services.terminalTotals.record(businessDate, report, now)) === 'too many') {
    throw problem('too-many-terminals', {
      detail:
        'A client may report some four million terminals of a date. Those that have reported may correct theirs.',
    });
  }
  logger.info('terminal totals reported', { businessDate, terminalId, lines: totals.length });
}
