import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { transactionBody } from '../api.ts';
import { identifierIn, isOperator, knownQuery, route } from '../requests.ts';
import { findTransaction, type TransactionServices } from './get-transaction.ts';
import { buildTransactionServices } from './services.ts';

/** `GET /transactions/{transactionId}` */
export async function getTransaction(
  request: HttpRequest,
  services: TransactionServices,
): Promise<HttpResponse> {
  knownQuery(request, []);
  const found = await findTransaction(
    identifierIn(request, 'transactionId'),
    ({ clientId }) => clientId === request.caller.clientId || isOperator(request),
    services,
  );
  return { status: 200, body: transactionBody(found) };
}

export const handler = route(getTransaction, buildTransactionServices);
