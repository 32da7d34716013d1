import { logger } from '../../shared/log.ts';
import { keyReusedProblem, problem } from '../api.ts';
import type { BusinessCalendar } from '../domain/business-date.ts';
import { bodyDigest, transactionIdOf } from '../domain/identifiers.ts';
import { factOf, type StagedFact } from '../domain/settlement.ts';
import { dateTransaction, type Transaction } from '../domain/transaction.ts';
import { acceptReversal, type ReversalServices } from './accept-reversal.ts';
import type { FindUnsealedDate } from './find-unsealed-date.ts';

export interface IntakeServices extends ReversalServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly unsealedDateFrom: FindUnsealedDate;
}

export interface IntakeRequest {
  readonly transaction: Transaction;
  readonly idempotencyKey: string;
  readonly clientId: string;
  readonly requestId: string;
}

/** `replayed`: an earlier request with the same key brought the fact. */
export interface Staged {
  readonly outcome: 'staged' | 'replayed';
  readonly fact: StagedFact;
}

/**
 * Stages a transaction once, however often the request comes.
 * @throws Problem 422 if it is too old or in the future, or its key was used for another; see also `acceptReversal`
 */
export async function stageTransaction(request: IntakeRequest, services: IntakeServices): Promise<Staged> {
  const now = services.now();
  const { transaction, idempotencyKey, clientId, requestId } = request;
  const transactionId = transactionIdOf(clientId, transaction.merchantId, idempotencyKey);
  const dated = dateTransaction(transaction, now, services.calendar);
  const refusal =
    'refusal' in dated ? problem(dated.refusal.type, { detail: dated.refusal.detail }) : undefined;
  if (transaction.type === 'reversal') {
    return acceptReversal({ keyId: transactionId, transaction, clientId, requestId, refusal }, now, services);
  }
  // A retry finds its transaction even when that has become too old.
  if ('refusal' in dated) return replay(transactionId, transaction, services, refusal);
  // A retry or a reused key adds nothing to a day, so it begins none.
  const businessDate = await services.unsealedDateFrom(
    dated.businessDate,
    async () => (await services.staged.get(transactionId)) === undefined,
  );
  if (businessDate === undefined) return replay(transactionId, transaction, services);
  const fact = factOf(transaction, {
    factId: transactionId,
    clientId,
    businessDate,
    stagedAt: now.toISOString(),
    bodyDigest: bodyDigest(transaction),
    requestId,
  });
  if ((await services.staged.put(fact)) === 'exists') return replay(transactionId, transaction, services);
  const { merchantId, type, amount, currency } = transaction;
  logger.info('transaction staged', { transactionId, businessDate, merchantId, type, amount, currency });
  return { outcome: 'staged', fact };
}

async function replay(
  transactionId: string,
  transaction: Transaction,
  services: IntakeServices,
  otherwise: Error = new Error('A transaction that exists was not found.'),
): Promise<Staged> {
  const fact = await services.staged.get(transactionId);
  if (fact === undefined) throw otherwise;
  if (fact.bodyDigest !== bodyDigest(transaction)) throw keyReusedProblem();
  return { outcome: 'replayed', fact };
}
