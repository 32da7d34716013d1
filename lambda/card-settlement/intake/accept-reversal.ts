import { logger } from '../../shared/log.ts';
import { notFoundProblem, Problem } from '../../shared/problem.ts';
import type { FindUnsealedDate } from './find-unsealed-date.ts';
import { businessDateOf, type BusinessCalendar, type BusinessDate } from '../domain/business-date.ts';
import {
  isReview,
  reversalMismatches,
  reviewOf,
  type AnyStagedFact,
  type StagedReview,
} from '../domain/decision.ts';
import { bodyDigest, decisionIdOf } from '../domain/identifiers.ts';
import type { LedgerEntry, StagedFact } from '../domain/settlement.ts';
import type { Transaction } from '../domain/transaction.ts';
import { keyReusedProblem } from '../responses.ts';

/**
 * Decisions on a transaction: a reversal, a release, a rejection. Each is the one fact `<transactionId>#decision`,
 * written if it is absent, so that of any two at most one comes to be; it then goes the way of every fact: reconcile,
 * queue, ledger.
 */
export interface DecisionServices {
  readonly getFact: (transactionId: string) => Promise<StagedFact | undefined>;
  readonly getDecision: (decisionId: string) => Promise<AnyStagedFact | undefined>;
  readonly putFact: (fact: AnyStagedFact) => Promise<'written' | 'exists'>;
  /** Consistently, and never from a cache: a reversal must not slip into a day that was sealed a moment ago. */
  readonly readDay: (businessDate: BusinessDate) => Promise<{ readonly sealedAt?: string } | undefined>;
}

/** A reversal as a client sends it. */
export interface ReversalRequest {
  /** What its idempotency key leads to. */
  readonly transactionId: string;
  readonly transaction: Transaction;
  readonly clientId: string;
  readonly requestId: string;
  /** Why it is refused, unless it has been accepted before. */
  readonly refusal: Problem | undefined;
}

/**
 * Stages the reversal of a sale, in the books of the sale's own date, next to it.
 *
 * @throws Problem 422 if it fits no sale of the client, 409 if the sale is decided otherwise, or its day sealed
 */
export async function acceptReversal(
  { transactionId: keyId, transaction, clientId, requestId, refusal }: ReversalRequest,
  now: Date,
  services: DecisionServices,
): Promise<{ readonly outcome: 'staged' | 'replayed'; readonly fact: StagedFact }> {
  const original = await services.getFact(transaction.originalTransactionId ?? '');
  // Another client's sale does not exist for this one.
  if (original?.clientId !== clientId) {
    throw new Problem(422, 'original-not-found', 'There is no such transaction to reverse', {
      detail: 'originalTransactionId must be the id that this API gave one of your own sales.',
    });
  }
  const mismatches = reversalMismatches(transaction, original);
  if (mismatches.length > 0) {
    throw new Problem(422, 'reversal-mismatch', 'The reversal does not repeat its sale', {
      errors: mismatches.map((pointer) => ({
        pointer,
        detail: pointer === '/originalTransactionId' ? 'must be a sale' : 'must be as in the sale',
      })),
    });
  }
  const fact: StagedFact = {
    ...transaction,
    transactionId: decisionIdOf(original.transactionId),
    clientId,
    businessDate: original.businessDate,
    stagedAt: now.toISOString(),
    bodyDigest: bodyDigest(transaction),
    idempotencyId: keyId,
    requestId,
  };
  const replayed = async (): Promise<StagedFact | undefined> => {
    const standing = await services.getDecision(fact.transactionId);
    if (standing === undefined) return undefined;
    if (isReview(standing)) throw decidedProblem(standing);
    const { idempotencyId, bodyDigest: digest } = standing;
    if (idempotencyId === keyId && digest !== fact.bodyDigest) throw keyReusedProblem();
    return standing;
  };
  const standing = await replayed();
  if (standing !== undefined) return { outcome: 'replayed', fact: standing };
  if (refusal !== undefined) throw refusal;
  if ((await services.getFact(keyId)) !== undefined) throw keyReusedProblem();
  const day = await services.readDay(original.businessDate);
  if (day?.sealedAt !== undefined) {
    throw new Problem(409, 'day-closed', 'The business day of the sale is closed', {
      detail: `The books of ${original.businessDate} take nothing more. Send a refund: it belongs to the date on which it occurs.`,
    });
  }
  if ((await services.putFact(fact)) === 'exists') {
    const winner = await replayed();
    if (winner === undefined) throw new Error('A decision that exists was not found.');
    return { outcome: 'replayed', fact: winner };
  }
  const { businessDate, merchantId, amount, currency } = fact;
  logger.info('sale reversed', {
    transactionId: original.transactionId,
    businessDate,
    merchantId,
    amount,
    currency,
  });
  return { outcome: 'staged', fact };
}

/** What a review needs besides. */
export interface ReviewServices extends Omit<DecisionServices, 'readDay'> {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly unsealedDateFrom: FindUnsealedDate;
  readonly getEntry: (fact: StagedFact) => Promise<LedgerEntry | undefined>;
}

/**
 * Releases or rejects a held transaction, in the books of the date that is open now.
 *
 * @returns the decision that stands: this one, or the same taken before
 * @throws Problem 404 if there is no such transaction, 409 if it is not held, or decided otherwise
 */
export async function reviewTransaction(
  review: {
    readonly transactionId: string;
    readonly type: StagedReview['type'];
    readonly reason: string;
    readonly clientId: string;
    readonly requestId: string;
  },
  services: ReviewServices,
): Promise<StagedReview> {
  const original = await services.getFact(review.transactionId);
  if (original === undefined) throw notFoundProblem('transaction');
  const standing = await services.getDecision(decisionIdOf(original.transactionId));
  if (standing !== undefined) return sameReview(review.type, standing);
  const entry = await services.getEntry(original);
  if (entry?.status !== 'held') {
    throw new Problem(409, 'not-held', 'The transaction is not held', {
      detail:
        entry === undefined
          ? 'It is not settled yet: whether it is held shows then.'
          : `It is ${entry.status}; only what is held can be released or rejected.`,
    });
  }
  const now = services.now();
  const businessDate = await services.unsealedDateFrom(businessDateOf(now, services.calendar), async () =>
    Promise.resolve(true),
  );
  if (businessDate === undefined) throw new Error('No date was found for the decision.');
  const { transactionId: _, ...taken } = review;
  const { type } = taken;
  const fact = reviewOf(original, { ...taken, businessDate, stagedAt: now.toISOString() });
  if ((await services.putFact(fact)) === 'exists') {
    const winner = await services.getDecision(fact.transactionId);
    if (winner === undefined) throw new Error('A decision that exists was not found.');
    return sameReview(type, winner);
  }
  logger.info('transaction reviewed', {
    transactionId: original.transactionId,
    decision: type,
    businessDate,
  });
  return fact;
}

function sameReview(type: StagedReview['type'], standing: AnyStagedFact): StagedReview {
  if (standing.type !== type || !isReview(standing)) throw decidedProblem(standing);
  return standing;
}

const DECIDED = { release: 'released', reject: 'rejected', reversal: 'reversed' } as const;

function decidedProblem({ type }: AnyStagedFact): Problem {
  const done = type === 'release' || type === 'reject' ? DECIDED[type] : DECIDED.reversal;
  return new Problem(409, 'already-decided', 'The transaction is decided already', {
    detail: `It was ${done}, and there is only one decision on a transaction.`,
  });
}
