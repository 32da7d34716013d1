import * as v from 'valibot';
import { parseAs, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { heldBody } from '../api.ts';
import { FactId } from '../contract.ts';
import { CalendarDate } from '../domain/business-date.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import { Identifier } from '../domain/transaction.ts';
import { isOperator, pageBody, pageIn, route } from '../requests.ts';
import { listHeld, type HeldServices } from './list-held.ts';
import { buildListServices } from './services.ts';

const Cursor = v.strictObject({ merchantId: Identifier, transactionId: FactId });

/** `GET /transactions?status=held&businessDate=` */
export async function listTransactions(request: HttpRequest, services: HeldServices): Promise<HttpResponse> {
  const { limit, cursor } = pageIn(request, Cursor, ['status', 'businessDate']);
  parseAs(v.picklist(['held'], 'must be held'), request.query['status'], 'query:status');
  const businessDate = parseAs(CalendarDate, request.query['businessDate'], 'query:businessDate');
  const after = cursor && sortKeyOf({ merchantId: cursor.merchantId, factId: cursor.transactionId });
  const { items, last } = await listHeld(
    { businessDate, after, limit },
    ({ clientId }) => clientId === request.caller.clientId || isOperator(request),
    services,
  );
  const next = last && { merchantId: last.merchantId, transactionId: last.factId };
  return { status: 200, body: pageBody(items.map(heldBody), next) };
}

export const handler = route(listTransactions, buildListServices);
