import { logger } from '../../shared/log.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { decidedProblem, problem } from '../api.ts';
import { businessDateOf, type BusinessCalendar } from '../domain/business-date.ts';
import { isReview, reviewOf, type AnyStagedFact, type StagedReview } from '../domain/decision.ts';
import { decisionIdOf } from '../domain/identifiers.ts';
import type { FindUnsealedDate } from '../intake/find-unsealed-date.ts';
import type { LedgerTable } from '../store/ledger.ts';
import type { StagedTable } from '../store/staged-transactions.ts';

export interface ReviewServices {
  readonly staged: Pick<StagedTable, 'get' | 'getDecision' | 'put'>;
  readonly ledger: Pick<LedgerTable, 'get'>;
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly unsealedDateFrom: FindUnsealedDate;
}

/**
 * A decision belongs to the books of the open date.
 * @returns this decision, or the same one taken before
 * @throws Problem 404 if there is no such transaction, 409 if it is not held or has another decision
 */
export async function reviewTransaction(
  review: {
    readonly transactionId: string;
    readonly kind: StagedReview['kind'];
    readonly reason: string;
    readonly clientId: string;
    readonly requestId: string;
  },
  services: ReviewServices,
): Promise<StagedReview> {
  const original = await services.staged.get(review.transactionId);
  if (original === undefined) throw notFoundProblem('transaction');
  const standing = await services.staged.getDecision(decisionIdOf(original.factId));
  if (standing !== undefined) return sameReview(review.kind, standing);
  const entry = await services.ledger.get(original);
  if (entry?.status !== 'held') {
    throw problem('not-held', {
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
  const { transactionId, ...taken } = review;
  const fact = reviewOf(original, { ...taken, businessDate, stagedAt: now.toISOString() });
  if ((await services.staged.put(fact)) === 'exists') {
    const winner = await services.staged.getDecision(fact.factId);
    if (winner === undefined) throw new Error('A decision that exists was not found.');
    return sameReview(review.kind, winner);
  }
  logger.info('transaction reviewed', { transactionId, decision: review.kind, businessDate });
  return fact;
}

function sameReview(kind: StagedReview['kind'], standing: AnyStagedFact): StagedReview {
  if (standing.kind !== kind || !isReview(standing)) throw decidedProblem(standing);
  return standing;
}
