import type { BusinessDate } from './business-date.ts';
import { decisionIdOf } from './identifiers.ts';
import { requestOf, type EntryStatus, type LedgerEntry, type StagedFact } from './settlement.ts';
import { isReviewKind, type Transaction } from './transaction.ts';

/** An operator's decision, in the books of the open date. A reversal is a terminal's, and so a `StagedFact`. */
export interface StagedReview {
  readonly factId: string;
  readonly kind: 'release' | 'reject';
  readonly originalTransactionId: string;
  readonly originalKind: Transaction['type'];
  readonly originalBusinessDate: BusinessDate;
  readonly merchantId: string;
  readonly amount: number;
  readonly currency: string;
  readonly businessDate: BusinessDate;
  readonly stagedAt: string;
  readonly clientId: string;
  readonly reason: string;
  readonly requestId?: string;
}

export type AnyStagedFact = StagedFact | StagedReview;

export function isReview(fact: AnyStagedFact): fact is StagedReview {
  return isReviewKind(fact.kind);
}

export function reviewOf(
  original: StagedFact,
  review: Pick<StagedReview, 'kind' | 'reason' | 'businessDate' | 'stagedAt' | 'clientId' | 'requestId'>,
): StagedReview {
  return {
    ...review,
    factId: decisionIdOf(original.factId),
    originalTransactionId: original.factId,
    originalKind: original.kind,
    originalBusinessDate: original.businessDate,
    merchantId: original.merchantId,
    amount: original.amount,
    currency: original.currency,
  };
}

const REPEATED = ['merchantId', 'cardToken', 'currency', 'amount'] as const;

/** @returns JSON pointers of the members that differ */
export function reversalMismatches(reversal: Transaction, original: StagedFact): string[] {
  return [
    ...(original.kind === 'sale' ? [] : ['/originalTransactionId']),
    ...REPEATED.filter((name) => reversal[name] !== original[name]).map((name) => `/${name}`),
  ];
}

export function reviewEntry(review: StagedReview, held: LedgerEntry): LedgerEntry {
  return {
    ...held,
    factId: review.factId,
    businessDate: review.businessDate,
    kind: review.kind,
    status: review.kind === 'release' ? 'settled' : 'rejected',
    movesFrom: 'held',
    // The original's entry says what held it.
    score: 0,
    rules: [],
    ...requestOf(review),
  };
}

export function reversalEntry(reversal: StagedFact, standing: LedgerEntry): LedgerEntry {
  return {
    ...standing,
    factId: reversal.factId,
    businessDate: reversal.businessDate,
    kind: 'reversal',
    status: 'reversed',
    movesFrom: standing.status,
    amount: -standing.amount,
    gross: -standing.gross,
    fee: -standing.fee,
    net: -standing.net,
    score: 0,
    rules: [],
    ...requestOf(reversal),
  };
}

export interface Movement {
  readonly status: EntryStatus;
  readonly count: 1 | -1;
  readonly factor: 1n | -1n;
}

/**
 * A decision moves the original to where it belongs now. A reversal also adds itself: it and its sale are two
 * transactions that come to nothing, whichever was settled first.
 */
export function movementsOf({
  kind,
  status,
  movesFrom,
}: Pick<LedgerEntry, 'kind' | 'status' | 'movesFrom'>): Movement[] {
  if (movesFrom === undefined) return [{ status, count: 1, factor: 1n }];
  if (kind !== 'reversal') {
    return [
      { status: movesFrom, count: -1, factor: -1n },
      { status, count: 1, factor: 1n },
    ];
  }
  return [
    { status: movesFrom, count: -1, factor: 1n },
    { status, count: 1, factor: -1n },
    { status, count: 1, factor: 1n },
  ];
}
