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

/** What recording totals needs of the world. */
export interface TerminalServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly days: Pick<DaysTable, 'read' | 'begin'>;
  readonly terminalTotals: Pick<TerminalTotalsTable, 'record'>;
}

/** As old as a transaction may be; a change of the clocks may put its instant one business date earlier. */
const BACK_DAYS = AGE_LIMIT_DAYS + 1;

/**
 * Records a terminal's own counts and amounts of a date. Every run of the date compares them with what was staged: they
 * are an independent set of books.
 *
 * @throws Problem 422 if the date is out of range, or too many terminals have reported
 */
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
  // If nothing that a terminal sold has arrived, nothing is known of the date: its report must still be looked at.
  if (totals.some(({ count }) => count > 0)) {
    // Most reports are of days that are known: a read is cheaper than a write that is refused.
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
