import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { entryBody, merchantTotalsBody } from '../api.ts';
import { FactId } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { businessDateIn, identifierIn, knownQuery, pageBody, pageIn, route } from '../requests.ts';
import { daysTable, type DaysTable } from '../store/business-days.ts';
import { ledgerTable } from '../store/ledger.ts';
import { merchantTotalsTable } from '../store/merchant-totals.ts';
import { listEntries, type EntryServices } from './entries.ts';
import { writeFile } from './file.ts';
import { isFinal, readTotals, TotalsCursor, type TotalsServices } from './totals.ts';

export type SettlementViewServices = TotalsServices &
  EntryServices & { readonly now: () => Date; readonly days: Pick<DaysTable, 'read'> };

/** `GET /settlements/{businessDate}`, as JSON or `text/csv`, and `…/merchants/{merchantId}` */
export async function getSettlement(
  request: HttpRequest,
  services: SettlementViewServices,
): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  if (request.path['merchantId'] !== undefined) return getEntries(request, businessDate, services);
  if (wantsFile(request.headers['accept'])) return getFile(request, businessDate, services);
  const { limit, cursor } = pageIn(request, TotalsCursor);
  const day = await dayOf(businessDate, services);
  const { totals, next } = await readTotals(day, cursor, services, limit);
  const page = pageBody(totals.map(merchantTotalsBody), next);
  return { status: 200, body: { businessDate, final: isFinal(day), ...page } };
}

async function getFile(
  request: HttpRequest,
  businessDate: BusinessDate,
  services: SettlementViewServices,
): Promise<HttpResponse> {
  knownQuery(request, []);
  const day = await dayOf(businessDate, services);
  return {
    status: 200,
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="settlement-${businessDate}.csv"`,
    },
    body: await writeFile(day, services),
  };
}

async function getEntries(
  request: HttpRequest,
  businessDate: BusinessDate,
  services: SettlementViewServices,
): Promise<HttpResponse> {
  const merchantId = identifierIn(request, 'merchantId');
  const { limit, cursor } = pageIn(request, FactId);
  await dayOf(businessDate, services);
  const { items, next } = await listEntries(businessDate, merchantId, cursor, limit, services);
  return { status: 200, body: { businessDate, merchantId, ...pageBody(items.map(entryBody), next) } };
}

async function dayOf(businessDate: BusinessDate, services: SettlementViewServices): Promise<BusinessDay> {
  const day = await services.days.read(businessDate);
  if (day === undefined) throw notFoundProblem('settlement');
  return day;
}

/** JSON, unless `Accept` names the file first. */
function wantsFile(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((type) => type.split(';', 1)[0]?.trim().toLowerCase());
  return (
    types.find((type) => type === 'text/csv' || type === 'application/json' || type === '*/*') === 'text/csv'
  );
}

export const handler = route(getSettlement, () => {
  const client = createDynamoDbClient();
  return {
    now: systemClock,
    days: daysTable(client),
    merchantTotals: merchantTotalsTable(client),
    ledger: ledgerTable(client),
  };
});
