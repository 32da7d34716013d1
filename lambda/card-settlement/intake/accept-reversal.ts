import { logger } from '../../shared/log.ts';
import type { Problem } from '../../shared/problem.ts';
import { decidedProblem, keyReusedProblem, problem } from '../api.ts';
import { isSealed } from '../domain/business-day.ts';
import { isReview, reversalMismatches } from '../domain/decision.ts';
import { bodyDigest, decisionIdOf } from '../domain/identifiers.ts';
import { factOf, type StagedFact } from '../domain/settlement.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { DaysTable } from '../store/business-days.ts';
import type { StagedTable } from '../store/staged-transactions.ts';

export interface ReversalServices {
  readonly staged: Pick<StagedTable, 'get' | 'getDecision' | 'put'>;
  /** Not a cache: a reversal must not slip into a day that was sealed a moment ago. */
  readonly days: Pick<DaysTable, 'read'>;
}

export interface ReversalRequest {
  /** The id that the idempotency key leads to. */
  readonly keyId: string;
  readonly transaction: Transaction;
  readonly clientId: string;
  readonly requestId: string;
  /** Why a new reversal is refused. An accepted one still finds its fact. */
  readonly refusal: Problem | undefined;
}

/**
 * Stages a reversal in the books of its sale's date. Of two decisions on a sale the first one stands.
 * @throws Problem 422 if it fits no sale of the client, 409 if the sale has another decision or its day is sealed
 */
export async function acceptReversal(
  { keyId, transaction, clientId, requestId, refusal }: ReversalRequest,
  now: Date,
  services: ReversalServices,
): Promise<{ readonly outcome: 'staged' | 'replayed'; readonly fact: StagedFact }> {
  const original = await services.staged.get(transaction.originalTransactionId ?? '');
  // Clients do not see each other's sales.
  if (original?.clientId !== clientId) {
    throw problem('original-not-found', {
      detail: 'originalTransactionId must be the id that this API gave one of your own sales.',
    });
  }
  const mismatches = reversalMismatches(transaction, original);
  if (mismatches.length > 0) {
    throw problem('reversal-mismatch', {
      errors: mismatches.map((pointer) => ({
        pointer,
        detail: pointer === '/originalTransactionId' ? 'must be a sale' : 'must be as in the sale',
      })),
    });
  }
  const fact = factOf(transaction, {
    factId: decisionIdOf(original.factId),
    clientId,
    businessDate: original.businessDate,
    stagedAt: now.toISOString(),
    bodyDigest: bodyDigest(transaction),
    idempotencyId: keyId,
    requestId,
  });
  const replayed = async (): Promise<StagedFact | undefined> => {
    const standing = await services.staged.getDecision(fact.factId);
    if (standing === undefined) return undefined;
    if (isReview(standing)) throw decidedProblem(standing);
    const { idempotencyId, bodyDigest: digest } = standing;
    if (idempotencyId === keyId && digest !== fact.bodyDigest) throw keyReusedProblem();
    return standing;
  };
  const standing = await replayed();
  if (standing !== undefined) return { outcome: 'replayed', fact: standing };
  if (refusal !== undefined) throw refusal;
  if ((await services.staged.get(keyId)) !== undefined) throw keyReusedProblem();
  const day = await services.days.read(original.businessDate);
  if (day !== undefined && isSealed(day)) {
    throw problem('day-closed', {
      detail: `The books of ${original.businessDate} take nothing more. Send a refund: it belongs to the date on which it occurs.`,
    });
  }
  if ((await services.staged.put(fact)) === 'exists') {
    const winner = await replayed();
    if (winner === undefined) throw new Error('A decision that exists was not found.');
    return { outcome: 'replayed', fact: winner };
  }
  const { businessDate, merchantId, amount, currency } = fact;
  logger.info('sale reversed', {
    transactionId: original.factId,
    businessDate,
    merchantId,
    amount,
    currency,
  });
  return { outcome: 'staged', fact };
}
