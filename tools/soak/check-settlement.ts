import { originalIdOf } from '../../lambda/card-settlement/domain/identifiers.ts';
import type { BusinessDay } from '../../cli/shared/business-day.ts';
import {
  checkConservation,
  createConservation,
  type Conservation,
  type ConservationRow,
} from './conservation.ts';
import type { Findings } from './findings.ts';
import type { AcceptedFact } from './settlement-books.ts';
import type { EntryStatus, LedgerItem, StagedItem } from './tables.ts';

/** What the books say at the end, and what the client says. */
export interface SettlementEvidence {
  /** By the fact's id. */
  readonly accepted: ReadonlyMap<string, AcceptedFact>;
  readonly staged: AsyncIterable<StagedItem> | Iterable<StagedItem>;
  readonly ledger: AsyncIterable<LedgerItem> | Iterable<LedgerItem>;
  /** As the API answers them. */
  readonly days: ReadonlyMap<string, BusinessDay>;
}

export interface SettlementResult {
  readonly rows: readonly ConservationRow[];
  /** What the ledger says became of each transaction. */
  readonly statuses: ReadonlyMap<string, EntryStatus>;
}

/**
 * Holds the client's books against the tables, and the tables against what the API says of the days: every fact that
 * was accepted is staged and has one entry, and there is nothing else; what is staged is settled, held, reversed or
 * rejected, per date and currency, in count and amount.
 */
export async function checkSettlement(
  evidence: SettlementEvidence,
  findings: Findings,
): Promise<SettlementResult> {
  const { accepted, days } = evidence;
  const conservation = createConservation();
  for (const fact of accepted.values()) conservation.accept(fact);
  await checkStaged(evidence, findings);
  const statuses = await checkLedger(evidence, conservation, findings);
  const rows = conservation.rows(days);
  checkConservation(rows, days, findings);
  return { rows, statuses };
}

async function checkStaged({ accepted, staged }: SettlementEvidence, findings: Findings): Promise<void> {
  const missing = new Set(accepted.keys());
  for await (const item of staged) {
    const { transactionId, type } = item;
    const fact = accepted.get(transactionId);
    missing.delete(transactionId);
    if (fact === undefined)
      findings.add(`staged, though no client was told so: a ${type}`, placeOf(item), transactionId);
    // What is paid back is staged without a sign.
    else if (!isSame(fact, item, BigInt(Math.abs(fact.amount))))
      findings.add('staged, and not as it was accepted', placeOf(item), transactionId);
  }
  for (const id of missing) findings.add('accepted, and not staged', placeOf(accepted.get(id)), id);
}

/** An entry in as few bytes as will do: what its decision must agree with. */
type Original = Pick<LedgerItem, 'status' | 'amount' | 'gross' | 'fee' | 'net'>;

async function checkLedger(
  { accepted, ledger }: SettlementEvidence,
  conservation: Conservation,
  findings: Findings,
): Promise<ReadonlyMap<string, EntryStatus>> {
  const missing = new Set(accepted.keys());
  const originals = new Map<string, Original>();
  const decisions: LedgerItem[] = [];
  for await (const entry of ledger) {
    const { transactionId, status, amount, gross, fee, net, movesFrom } = entry;
    const fact = accepted.get(transactionId);
    if (fact === undefined) findings.add('in the ledger, and never accepted', placeOf(entry), transactionId);
    else if (!missing.delete(transactionId))
      findings.add('in the ledger more than once', placeOf(entry), transactionId);
    else if (!isSame(fact, entry, BigInt(fact.amount)))
      findings.add('in the ledger, and not as it was accepted', placeOf(entry), transactionId);
    conservation.enter(entry);
    if (movesFrom === undefined) originals.set(transactionId, { status, amount, gross, fee, net });
    else decisions.push(entry);
  }
  for (const id of missing) findings.add('accepted, and not in the ledger', placeOf(accepted.get(id)), id);
  checkDecisions(decisions, originals, findings);
  const statuses = new Map<string, EntryStatus>();
  for (const [id, { status }] of originals) statuses.set(id, status);
  for (const { transactionId, status } of decisions) statuses.set(originalIdOf(transactionId), status);
  return statuses;
}

/** Each decision moves its transaction from where that stands; a reversal is its exact negation. */
function checkDecisions(
  decisions: readonly LedgerItem[],
  originals: ReadonlyMap<string, Original>,
  findings: Findings,
): void {
  const reversed = new Set<string>();
  for (const decision of decisions) {
    const originalId = originalIdOf(decision.transactionId);
    const original = originals.get(originalId);
    if (original?.status !== decision.movesFrom)
      findings.add('decided from another status than it had', placeOf(decision), originalId);
    if (decision.type !== 'reversal') continue;
    reversed.add(originalId);
    const sumsToNothing = (['amount', 'gross', 'fee', 'net'] as const).every(
      (name) => decision[name] === -(original?.[name] ?? 0n),
    );
    if (!sumsToNothing) findings.add('reversed, and not to nothing in sum', placeOf(decision), originalId);
  }
  for (const [id, { status }] of originals) {
    if (status === 'rejected' || (status === 'reversed' && !reversed.has(id)))
      findings.add(`${status} by no decision`, 'the ledger', id);
  }
}

/** @param amount what a transaction's amount must be; a review repeats that of what it decides on */
function isSame(fact: AcceptedFact, item: StagedItem | LedgerItem, amount: bigint): boolean {
  const isReview = fact.type === 'release' || fact.type === 'reject';
  return (
    fact.businessDate === item.businessDate &&
    fact.currency === item.currency &&
    fact.type === item.type &&
    (isReview || amount === item.amount)
  );
}

function placeOf(item: Pick<AcceptedFact, 'businessDate' | 'currency'> | undefined): string {
  return `${item?.businessDate} ${item?.currency}`;
}
