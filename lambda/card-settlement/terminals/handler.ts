import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { requests } from '../api.ts';
import { businessDateIn, identifierIn, knownQuery, parseBody, route } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { daysTable } from '../store/business-days.ts';
import { terminalTotalsTable } from '../store/terminal-totals.ts';
import { recordTotals, type TerminalServices } from './record-totals.ts';

/** `PUT /terminals/{terminalId}/totals/{businessDate}` */
export async function putTerminalTotals(
  request: HttpRequest,
  services: TerminalServices,
): Promise<HttpResponse> {
  knownQuery(request, []);
  const terminalId = identifierIn(request, 'terminalId');
  const businessDate = businessDateIn(request);
  const { totals } = parseBody(requests.TerminalTotals, request);
  await recordTotals(businessDate, { clientId: request.caller.clientId, terminalId, totals }, services);
  return { status: 204 };
}

export const handler = route(putTerminalTotals, () => {
  const client = createDynamoDbClient();
  return {
    calendar: businessCalendar(),
    now: systemClock,
    days: daysTable(client),
    terminalTotals: terminalTotalsTable(client),
  };
});
