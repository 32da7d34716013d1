import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { Problem, validationProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { addDays, type BusinessCalendar, type BusinessDate } from '../domain/business-date.ts';
import { bodyDigest, transactionIdOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import { dateTransaction, Transaction } from '../domain/transaction.ts';
import { idempotencyKeyIn, knownQuery, parseBody } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { beginDay, readDay } from '../tables/business-days.ts';
import { getStagedFact, putStagedFact } from '../tables/staged-transactions.ts';

/** What intake needs of the world. */
export interface IntakeServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly unsealedDateFrom: FindUnsealedDate;
  readonly putFact: (fact: StagedFact) => Promise<'written' | 'exists'>;
  readonly getFact: (transactionId: string) => Promise<StagedFact | undefined>;
}

/**
 * Gives the date itself, or the earliest after it that is not sealed. Undefined if that day would have to be begun and
 * `mayBegin` says no.
 */
type FindUnsealedDate = (
  businessDate: BusinessDate,
  mayBegin: () => Promise<boolean>,
) => Promise<BusinessDate | undefined>;

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
  if ('refusal' in dated) {
    // A retry may come when its transaction has grown too old to be new: it still finds its own.
    const { type, title, detail } = dated.refusal;
    return replay(transactionId, transaction, services, new Problem(422, type, title, { detail }));
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
  if (fact.bodyDigest !== bodyDigest(transaction)) {
    throw new Problem(422, 'idempotency-key-reused', 'The idempotency key was used for another transaction', {
      detail: 'Send a new key with a new transaction; the same key only with the same body.',
    });
  }
  return stagedResponse(200, fact);
}

function stagedResponse(status: 200 | 201, { transactionId, businessDate }: StagedFact): HttpResponse {
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
  if (type === 'reversal') {
    if (originalTransactionId === undefined) {
      throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is required for a reversal' }]);
    }
    throw new Problem(422, 'reversal-unsupported', 'Reversals are not accepted yet', {
      detail: 'Send a refund: it settles on the date on which it occurs.',
    });
  }
  if (type === 'sale' && originalTransactionId !== undefined) {
    throw validationProblem([{ pointer: '/originalTransactionId', detail: 'is for refunds and reversals' }]);
  }
}

/** How long a day that was read open is taken to be open. Half of what the seal waits for rests on it: design, section 1. */
const OPEN_DAY_CACHE_MILLISECONDS = 5000;
const CACHED_DAYS = 100;

/** Finds unsealed dates, and begins their days. Sealed days stay sealed: they are remembered for good. */
export function createDayFinder(services: {
  readonly now: () => Date;
  readonly readDay: (businessDate: BusinessDate) => Promise<{ readonly sealedAt?: string } | undefined>;
  readonly beginDay: (businessDate: BusinessDate) => Promise<unknown>;
}): FindUnsealedDate {
  const openUntil = new Map<BusinessDate, number>();
  const sealed = new Set<BusinessDate>();

  /** Undefined if the day is not begun, and may not be. */
  async function isOpen(
    businessDate: BusinessDate,
    mayBegin: () => Promise<boolean>,
  ): Promise<boolean | undefined> {
    if (sealed.has(businessDate)) return false;
    // The clock is read before the day is: the cache may only end too early.
    const now = services.now().getTime();
    if ((openUntil.get(businessDate) ?? 0) > now) return true;
    let day = await services.readDay(businessDate);
    if (day === undefined) {
      if (!(await mayBegin())) return undefined;
      await services.beginDay(businessDate);
      day = await services.readDay(businessDate);
    }
    if (openUntil.size + sealed.size >= CACHED_DAYS) {
      openUntil.clear();
      sealed.clear();
    }
    if (day?.sealedAt === undefined) openUntil.set(businessDate, now + OPEN_DAY_CACHE_MILLISECONDS);
    else sealed.add(businessDate);
    return day?.sealedAt === undefined;
  }

  return async (businessDate, mayBegin) => {
    for (let date = businessDate; ; date = addDays(date, 1)) {
      const open = await isOpen(date, mayBegin);
      if (open !== false) return open === undefined ? undefined : date;
    }
  };
}

function buildServices(): IntakeServices {
  const client = createDynamoDbClient();
  const stagedTable = environmentVariable(environmentNames.stagedTransactionsTable);
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  return {
    calendar: businessCalendar(),
    now: systemClock,
    unsealedDateFrom: createDayFinder({
      now: systemClock,
      readDay: (date) => readDay(client, daysTable, date),
      beginDay: (date) => beginDay(client, daysTable, date, systemClock()),
    }),
    putFact: (fact) => putStagedFact(client, stagedTable, fact),
    getFact: (transactionId) => getStagedFact(client, stagedTable, transactionId),
  };
}

let services: IntakeServices | undefined;

export const handler = httpHandler((request) => acceptTransaction(request, (services ??= buildServices())));
