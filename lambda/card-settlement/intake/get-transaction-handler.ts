import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { transactionBody } from '../api.ts';
import { identifierIn, isOperator, knownQuery } from '../requests.ts';
import { findTransaction, type TransactionServices } from './get-transaction.ts';
import { buildTransactionServices } from './services.ts';

/** `GET /transactions/{transactionId}`: the fact, the decision on it, what became of it, and the entries that say so. */
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

let services: TransactionServices | undefined;

export const handler = httpHandler((request) =>
  getTransaction(request, (services ??= buildTransactionServices())),
);
