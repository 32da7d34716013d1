import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { decisionBody, requests } from '../api.ts';
import { identifierIn, knownQuery, parseBody, route } from '../requests.ts';
import { reviewTransaction, type ReviewServices } from './review-transaction.ts';
import { buildServices } from './services.ts';

/** `POST /transactions/{transactionId}/release` and `…/reject` */
export async function review(request: HttpRequest, services: ReviewServices): Promise<HttpResponse> {
  knownQuery(request, []);
  const transactionId = identifierIn(request, 'transactionId');
  const { reason } = parseBody(requests.Review, request);
  const kind = request.routeKey.endsWith('/release') ? 'release' : 'reject';
  const { caller, requestId } = request;
  const { clientId } = caller;
  const decision = await reviewTransaction({ transactionId, kind, reason, clientId, requestId }, services);
  return { status: 200, body: { transactionId, ...decisionBody(decision) } };
}

export const handler = route(review, buildServices);
