import type { BusinessDate } from './business-date.ts';
import { decisionIdOf } from './identifiers.ts';
import { requestOf, type EntryStatus, type LedgerEntry, type StagedFact } from './settlement.ts';
import { isReviewKind, type Transaction } from './transaction.ts';

/**
 * An operator's decision on a held transaction: a staged fact beside it, in the books of the date that is open when it
 * is taken. A reversal is a decision, too, but a transaction of its own terminal: a `StagedFact` of kind `reversal`.
 */
export interface StagedReview {
  /** The transaction's id with `#decision`: there can be only one. */
  readonly factId: string;
  readonly kind: 'release' | 'reject';
  readonly originalTransactionId: string;
  readonly originalKind: Transaction['type'];
  /** The date in whose ledger the held entry stands. */
  readonly originalBusinessDate: BusinessDate;
  readonly merchantId: string;
  readonly amount: number;
  readonly currency: string;
  readonly businessDate: BusinessDate;
  readonly stagedAt: string;
  /** Who decided: the `client_id` of the access token. */
  readonly clientId: string;
  readonly reason: string;
  readonly requestId?: string;
}

/** What the table of staged facts holds. */
export type AnyStagedFact = StagedFact | StagedReview;

export function isReview(fact: AnyStagedFact): fact is StagedReview {
  return isReviewKind(fact.kind);
}

/** The fact of an operator's decision. */
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

/** What a reversal must repeat of its sale. */
const REPEATED = ['merchantId', 'cardToken', 'currency', 'amount'] as const;

/** JSON pointers of the members by which a reversal differs from what it reverses; none, and it fits. */
export function reversalMismatches(reversal: Transaction, original: StagedFact): string[] {
  return [
    ...(original.kind === 'sale' ? [] : ['/originalTransactionId']),
    ...REPEATED.filter((name) => reversal[name] !== original[name]).map((name) => `/${name}`),
  ];
}

/** The entry of a release or a rejection: the held entry's amounts, rate and fees, in the books of its own date. */
export function reviewEntry(review: StagedReview, held: LedgerEntry): LedgerEntry {
  return {
    ...held,
    factId: review.factId,
    businessDate: review.businessDate,
    kind: review.kind,
    status: review.kind === 'release' ? 'settled' : 'rejected',
    movesFrom: 'held',
    // What held it stands in its original's entry.
    score: 0,
    rules: [],
    ...requestOf(review),
  };
}

/** The entry of a reversal: the exact negation of its sale's, whatever that is. */
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

/** What an entry does to one side of the books: how many transactions it adds, and its amounts times a factor. */
export interface Movement {
  readonly status: EntryStatus;
  readonly count: 1 | -1;
  readonly factor: 1n | -1n;
}

/**
 * What an entry does to the books. A transaction's entry adds it. A decision's takes the original from where it was and
 * adds it where it belongs now; a reversal then adds itself, so that with its sale it comes to two transactions and
 * nothing in sum, whichever of the two was settled first.
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
  // The entry's amounts are the negation of the original's.
  return [
    { status: movesFrom, count: -1, factor: 1n },
    { status, count: 1, factor: -1n },
    { status, count: 1, factor: 1n },
  ];
}
