import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { originalIdOf } from '../domain/identifiers.ts';
import { idempotencyKeyIn, knownQuery, route, transactionIn } from '../requests.ts';
import { buildServices } from './services.ts';
import { stageTransaction, type IntakeServices } from './stage-transaction.ts';

/** `POST /transactions` */
export async function acceptTransaction(
  request: HttpRequest,
  services: IntakeServices,
): Promise<HttpResponse> {
  knownQuery(request, []);
  const idempotencyKey = idempotencyKeyIn(request);
  const transaction = transactionIn(request);
  const { clientId } = request.caller;
  const { requestId } = request;
  const { outcome, fact } = await stageTransaction(
    { transaction, idempotencyKey, clientId, requestId },
    services,
  );
  // A reversal belongs to its sale, and shows there.
  const transactionId = originalIdOf(fact.factId);
  const location = `/transactions/${transactionId}`;
  return {
    status: outcome === 'staged' ? 201 : 200,
    headers: { location, ...(outcome === 'staged' ? {} : { 'idempotent-replayed': 'true' }) },
    body: { transactionId, businessDate: fact.businessDate, status: 'staged' },
  };
}

export const handler = route(acceptTransaction, buildServices);
