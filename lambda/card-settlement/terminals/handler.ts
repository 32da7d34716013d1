import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { Problem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import { TerminalTotalsBody, type TerminalReport } from '../domain/terminal-totals.ts';
import { businessDateIn, identifierIn, knownQuery, parseBody } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { recordTerminalTotals } from '../store/terminal-totals.ts';

interface Services {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly beginDay: (businessDate: BusinessDate) => Promise<unknown>;
  readonly record: (businessDate: BusinessDate, report: TerminalReport) => Promise<'recorded' | 'too many'>;
}

/** As old as a transaction may be. */
const BACK_DAYS = 31;

/**
 * `PUT /terminals/{terminalId}/totals/{businessDate}`: a terminal's own counts and amounts of a date. Every run of the
 * date compares them with what was staged: two independent sets of books.
 */
export async function putTerminalTotals(request: HttpRequest, services: Services): Promise<HttpResponse> {
  knownQuery(request, []);
  const terminalId = identifierIn(request, 'terminalId');
  const businessDate = businessDateIn(request);
  const { totals } = parseBody(TerminalTotalsBody, request);
  const today = businessDateOf(services.now(), services.calendar);
  if (businessDate > today || businessDate < addDays(today, -BACK_DAYS)) {
    throw new Problem(422, 'date-out-of-range', 'The business date is out of range', {
      detail: `The open business date is ${today}; totals may be reported until ${BACK_DAYS} days later.`,
    });
  }
  // A terminal that sold what never arrived here reports a date of which nothing is known: it must be looked at, too.
  if (totals.some(({ count }) => count > 0)) await services.beginDay(businessDate);
  const report = { clientId: request.caller.clientId, terminalId, totals };
  if ((await services.record(businessDate, report)) === 'too many') {
    throw new Problem(422, 'too-many-terminals', 'Too many terminals have reported totals of this date', {
      detail:
        'A client may report some four million terminals of a date. Those that have reported may correct theirs.',
    });
  }
  logger.info('terminal totals reported', { businessDate, terminalId, lines: totals.length });
  return { status: 204 };
}

function buildServices(): Services {
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

let services: Services | undefined;

export const handler = httpHandler((request) => putTerminalTotals(request, (services ??= buildServices())));
