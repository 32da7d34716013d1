import { notFoundProblem } from '../../shared/problem.ts';
import type { AnyStagedFact } from '../domain/decision.ts';
import { decisionIdOf } from '../domain/identifiers.ts';
import type { StagedFact } from '../domain/settlement.ts';
import type { LedgerTable, WrittenEntry } from '../store/ledger.ts';
import type { StagedTable } from '../store/staged-transactions.ts';

export interface TransactionServices {
  readonly staged: Pick<StagedTable, 'get' | 'getDecision'>;
  readonly ledger: Pick<LedgerTable, 'get'>;
}

export interface FoundTransaction {
  readonly fact: StagedFact;
  readonly decision: AnyStagedFact | undefined;
  readonly entries: readonly WrittenEntry[];
}

/** @throws Problem 404, also if the caller may not see it: a 403 would reveal it */
export async function findTransaction(
  transactionId: string,
  mayBeSeen: (fact: StagedFact) => boolean,
  services: TransactionServices,
): Promise<FoundTransaction> {
  const [fact, decision] = await Promise.all([
    services.staged.get(transactionId),
    services.staged.getDecision(decisionIdOf(transactionId)),
  ]);
  if (fact === undefined || !mayBeSeen(fact)) throw notFoundProblem('transaction');
  // The decision may be in the books of another date.
  const facts = decision === undefined ? [fact] : [fact, decision];
  const entries = await Promise.all(facts.map(async (each) => services.ledger.get(each)));
  return { fact, decision, entries: entries.filter((entry) => entry !== undefined) };
}
