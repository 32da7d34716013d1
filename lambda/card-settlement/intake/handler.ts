import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { Problem, validationProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { createDayFinder, type FindUnsealedDate } from './find-unsealed-date.ts';
import { acceptReversal, type DecisionServices } from './accept-reversal.ts';
import type { BusinessCalendar } from '../domain/business-date.ts';
import { bodyDigest, originalIdOf, transactionIdOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import { dateTransaction, Transaction, type Refusal } from '../domain/transaction.ts';
import { idempotencyKeyIn, knownQuery, parseBody } from '../requests.ts';
import { keyReusedProblem } from '../responses.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../store/business-days.ts';
import { getDecision, getStagedFact, putStagedFact } from '../store/staged-transactions.ts';

/** What intake needs of the world. */
export interface IntakeServices extends DecisionServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly unsealedDateFrom: FindUnsealedDate;
}

/** `POST /transactions`: stages a transaction once, however often the request comes. */
export async function acceptTransaction(
  request: HttpRequest,
  services: IntakeServices,
): Promise<HttpResponse> {
  const now = services.now();
  knownQuery(request, []);
  const idempotencyKey = idempotencyKeyIn(request);
  const transaction = parseBody(Transaction, request);
  checkType(transaction);
  const transactionId = transactionIdOf(request.caller.clientId, transaction.merchantId, idempotencyKey);
  const dated = dateTransaction(transaction, now, services.calendar);
  if (transaction.type === 'reversal') {
    const refusal = 'refusal' in dated ? refusalProblem(dated.refusal) : undefined;
    const { requestId, caller } = request;
    const keyed = { transactionId, transaction, clientId: caller.clientId, requestId, refusal };
    const { outcome, fact } = await acceptReversal(keyed, now, services);
    return stagedResponse(outcome === 'staged' ? 201 : 200, fact);
  }
  if ('refusal' in dated) {
    // A retry may come when its transaction has grown too old to be new: it still finds its own.
    return replay(transactionId, transaction, services, refusalProblem(dated.refusal));
  }
  // A retry, or a key that was used for another transaction, begins no day: it adds nothing to one.
  const unsealedDate = await services.unsealedDateFrom(
    dated.businessDate,
    async () => (await services.getFact(transactionId)) === undefined,
  );
  if (unsealedDate === undefined) return replay(transactionId, transaction, services);
  const fact: StagedFact = {
    ...transaction,
    transactionId,
    clientId: request.caller.clientId,
    businessDate: unsealedDate,
    stagedAt: now.toISOString(),
    bodyDigest: bodyDigest(transaction),
    requestId: request.requestId,
  };
  if ((await services.putFact(fact)) === 'exists') return replay(transactionId, transaction, services);
  const { businessDate, merchantId, type, amount, currency } = fact;
  logger.info('transaction staged', { transactionId, businessDate, merchantId, type, amount, currency });
  return stagedResponse(201, fact);
}

/** @param otherwise what to answer if there is no such transaction */
async function replay(
  transactionId: string,
  transaction: Transaction,
  services: IntakeServices,
  otherwise: Error = new Error('A transaction that exists was not found.'),
): Promise<HttpResponse> {
  const fact = await services.getFact(transactionId);
  if (fact === undefined) throw otherwise;
  if (fact.bodyDigest !== bodyDigest(transaction)) throw keyReusedProblem();
  return stagedResponse(200, fact);
}

function refusalProblem({ type, title, detail }: Refusal): Problem {
  return new Problem(422, type, title, { detail });
}

/** A reversal answers with its sale's id: it is a fact of the sale, and shows there. */
function stagedResponse(status: 200 | 201, fact: StagedFact): HttpResponse {
  const { businessDate } = fact;
  const transactionId = originalIdOf(fact.transactionId);
  return {
    status,
    headers: {
      location: `/transactions/${transactionId}`,
      ...(status === 200 ? { 'idempotent-replayed': 'true' } : {}),
    },
    body: { transactionId, businessDate, status: 'staged' },
  };
}

function checkType({ type, originalTransactionId }: Transaction): void {
  if (type === 'reversal' && originalTransactionId === undefined) {
    throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is required for a reversal' }]);
  }
  if (type === 'sale' && originalTransactionId !== undefined) {
    throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is for refunds and reversals' }]);
  }
}

/** The function's ports, at the tables that its environment names. Who simulates gives a client and a clock. */
export function buildServices(
  client = createDynamoDbClient(),
  now: () => Date = systemClock,
): IntakeServices {
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now,
    unsealedDateFrom: createDayFinder({
      now,
      readDay: (date) => readDay(client, daysTable, date),
      beginDay: (date) => beginDay(client, daysTable, date, now()),
    }),
    putFact: (fact) => putStagedFact(client, stagedTable, fact),
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
    getDecision: (decisionId) => getDecision(client, stagedTable, decisionId),
    readDay: (date) => readDay(client, daysTable, date),
  };
}

let services: IntakeServices | undefined;

export const handler = httpHandler((request) => acceptTransaction(request, (services ??= buildServices())));
