import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { environmentNames } from '../contract.ts';
import { createDayFinder } from '../intake/find-unsealed-date.ts';
import { reviewTransaction, type ReviewServices } from '../intake/accept-reversal.ts';
import { ReviewBody } from '../domain/decision.ts';
import { identifierIn, knownQuery, parseBody } from '../requests.ts';
import { decisionBody } from '../responses.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { getEntry } from '../store/ledger.ts';
import { getDecision, getStagedFact, putStagedFact } from '../store/staged-transactions.ts';

/** `POST /transactions/{transactionId}/release` and `…/reject`: decides on a held transaction, once. */
export async function review(request: HttpRequest, services: ReviewServices): Promise<HttpResponse> {
  knownQuery(request, []);
  const transactionId = identifierIn(request, 'transactionId');
  const { reason } = parseBody(ReviewBody, request);
  const type = request.routeKey.endsWith('/release') ? 'release' : 'reject';
  const { caller, requestId } = request;
  const { clientId } = caller;
  const decision = await reviewTransaction({ transactionId, type, reason, clientId, requestId }, services);
  return { status: 200, body: { transactionId, ...decisionBody(decision) } };
}

/** The function's ports, at the tables that its environment names. Who simulates gives a client and a clock. */
export function buildServices(
  client = createDynamoDbClient(),
  now: () => Date = systemClock,
): ReviewServices {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now,
    unsealedDateFrom: createDayFinder({
      now,
      readDay: (date) => readDay(client, daysTable, date),
      beginDay: (date) => beginDay(client, daysTable, date, now()),
    }),
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    putFact: (fact) => putStagedFact(client, stagedTable, fact),
    getEntry: (fact) => getEntry(client, ledgerTable, fact),
  };
}

let services: ReviewServices | undefined;

export const handler = httpHandler((request) => review(request, (services ??= buildServices())));
