import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { requests } from '../api.ts';
import { businessDateIn, identifierIn, knownQuery, parseBody, route } from '../requests.ts';
import { recordTotals, type TerminalServices } from './record-totals.ts';
import { buildServices } from './services.ts';

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

export const handler = route(putTerminalTotals, buildServices);
