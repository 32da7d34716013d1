import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { requests } from '../api.ts';
import { businessDateIn, identifierIn, knownQuery, parseBody } from '../requests.ts';
import { recordTotals, type TerminalServices } from './record-totals.ts';
import { buildServices } from './services.ts';

/** `PUT /terminals/{terminalId}/totals/{businessDate}`: a terminal's own counts and amounts of a date. */
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

let services: TerminalServices | undefined;

export const handler = httpHandler((request) => putTerminalTotals(request, (services ??= buildServices())));
