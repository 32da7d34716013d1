import type { BusinessDay } from '../../cli/shared/business-day.ts';
import { getOrAdd } from '../harness/maps.ts';
import type { AcceptedFact } from './books.ts';
import { matchItems } from './matching.ts';
import type { Findings } from './record.ts';
import type { EntryStatus, LedgerItem, StagedItem } from './tables.ts';

/** Nothing here uses the app's own arithmetic. */
export interface SettlementEvidence {
  readonly accepted: ReadonlyMap<string, AcceptedFact>;
  readonly staged: AsyncIterable<StagedItem> | Iterable<StagedItem>;
  readonly ledger: AsyncIterable<LedgerItem> | Iterable<LedgerItem>;
  readonly days: ReadonlyMap<string, BusinessDay>;
}

interface Figures {
  count: number;
  /** Minor units. */
  amount: bigint;
}

export const OUTCOMES = ['settled', 'held', 'reversed', 'rejected'] as const satisfies EntryStatus[];

export interface ConservationRow extends Readonly<Record<'accepted' | EntryStatus, Readonly<Figures>>> {
  readonly businessDate: string;
  readonly currency: string;
  /** From the API, or `unknown`. */
  readonly status: string;
}

export interface SettlementResult {
  readonly rows: readonly ConservationRow[];
  /** By transaction, as the ledger says. */
  readonly statuses: ReadonlyMap<string, EntryStatus>;
}

/**
 * Every accepted fact is staged and has one entry. By date and currency, accepted = settled + held + reversed +
 * rejected, in count and amount, for the client, the ledger and the API alike.
 */
export async function checkSettlement(
  { accepted, staged, ledger, days }: SettlementEvidence,
  findings: Findings,
): Promise<SettlementResult> {
  const conservation = createConservation(days);
  for (const fact of accepted.values()) conservation.accept(fact);
  await matchItems(accepted, staged, findings, {
    state: 'staged',
    idOf,
    placeOf,
    // A refund is staged without a sign.
    isSame: (fact, item) => isSame(fact, item, BigInt(Math.abs(fact.amount))),
  });
  const originals = new Map<string, LedgerItem>();
  const decisions: LedgerItem[] = [];
  await matchItems(accepted, ledger, findings, {
    state: 'in the ledger',
    idOf,
    placeOf,
    isSame: (fact, entry) => isSame(fact, entry, BigInt(fact.amount)),
    each: (entry) => {
      conservation.enter(entry);
      if (entry.movesFrom === undefined) originals.set(idOf(entry), entry);
      else decisions.push(entry);
    },
  });
  checkDecisions(originals, decisions, findings);
  const rows = conservation.rows();
  checkConservation(rows, days, findings);
  const statuses = new Map<string, EntryStatus>();
  for (const [id, { status }] of originals) statuses.set(id, status);
  for (const decision of decisions) statuses.set(originalIdOf(decision), decision.status);
  return { rows, statuses };
}

const idOf = ({ transactionId }: StagedItem | LedgerItem): string => transactionId;
const originalIdOf = (decision: LedgerItem): string => idOf(decision).replace(/#decision$/, '');
const placeOf = ({ businessDate, currency }: Pick<AcceptedFact, 'businessDate' | 'currency'>): string =>
  `${businessDate} ${currency}`;

/** A review's item repeats the amount of what it decides on. */
function isSame(fact: AcceptedFact, item: StagedItem | LedgerItem, amount: bigint): boolean {
  return (
    placeOf(fact) === placeOf(item) && fact.type === item.type && (isReview(fact) || amount === item.amount)
  );
}

function isReview({ type }: AcceptedFact): boolean {
  return type === 'release' || type === 'reject';
}

/** Each decision moves its transaction from the status that it has; a reversal is its exact negation. */
function checkDecisions(
  originals: ReadonlyMap<string, LedgerItem>,
  decisions: readonly LedgerItem[],
  findings: Findings,
): void {
  const reversed = new Set<string>();
  for (const decision of decisions) {
    const id = originalIdOf(decision);
    const original = originals.get(id);
    if (original?.status !== decision.movesFrom)
      findings.add('decided from another status than it had', placeOf(decision), id);
    if (decision.type !== 'reversal') continue;
    reversed.add(id);
    const isNegation = (['amount', 'gross', 'fee', 'net'] as const).every(
      (name) => decision[name] === -(original?.[name] ?? 0n),
    );
    if (!isNegation) findings.add('reversed, but the sum is not zero', placeOf(decision), id);
  }
  for (const [id, { status }] of originals) {
    if (status === 'rejected' || (status === 'reversed' && !reversed.has(id)))
      findings.add(`${status} by no decision`, 'the ledger', id);
  }
}

function createConservation(days: SettlementEvidence['days']) {
  const rows = new Map<string, ConservationRow & Record<'accepted' | EntryStatus, Figures>>();
  const add = (
    of: AcceptedFact | LedgerItem,
    side: 'accepted' | EntryStatus,
    count: number,
    amount: bigint,
  ): void => {
    const { businessDate, currency } = of;
    const figures = getOrAdd(rows, placeOf(of), () => ({
      businessDate,
      currency,
      status: days.get(businessDate)?.status ?? 'unknown',
      accepted: nothing(),
      settled: nothing(),
      held: nothing(),
      reversed: nothing(),
      rejected: nothing(),
    }))[side];
    figures.count += count;
    figures.amount += amount;
  };
  return {
    accept: (fact: AcceptedFact): void => {
      if (!isReview(fact)) add(fact, 'accepted', 1, BigInt(fact.amount));
    },
    enter: (entry: LedgerItem): void => {
      const { type, status, movesFrom, amount } = entry;
      if (movesFrom === undefined) {
        add(entry, status, 1, amount);
      } else if (type === 'reversal') {
        // The sale joins its reversal: two transactions whose sum is zero.
        add(entry, movesFrom, -1, amount);
        add(entry, 'reversed', 2, 0n);
      } else {
        add(entry, movesFrom, -1, -amount);
        add(entry, status, 1, amount);
      }
    },
    rows: (): ConservationRow[] =>
      [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row),
  };
}

const nothing = (): Figures => ({ count: 0, amount: 0n });

function checkConservation(
  rows: readonly ConservationRow[],
  days: SettlementEvidence['days'],
  findings: Findings,
): void {
  for (const row of rows) {
    const compare = (what: string, one: Figures, other: Figures): void => {
      if (one.count !== other.count || one.amount !== other.amount)
        findings.add(what.replace('#', text(one)).replace('#', text(other)), placeOf(row));
    };
    const sum = nothing();
    for (const outcome of OUTCOMES) {
      sum.count += row[outcome].count;
      sum.amount += row[outcome].amount;
    }
    const said = (side: 'staged' | EntryStatus): Figures => {
      const figures = days.get(row.businessDate)?.totals[row.currency]?.[side];
      return { count: figures?.count ?? 0, amount: BigInt(figures?.amount ?? 0) };
    };
    compare('accepted #, but the ledger comes to #', row.accepted, sum);
    compare('accepted #, but the day says #', row.accepted, said('staged'));
    for (const outcome of OUTCOMES)
      compare(`${outcome} in the ledger #, but the day says #`, row[outcome], said(outcome));
  }
  const places = new Set(rows.map(placeOf));
  for (const [businessDate, { totals, breaks }] of days) {
    for (const found of breaks) findings.add(`a break: ${JSON.stringify(found)}`, businessDate);
    for (const currency of Object.keys(totals)) {
      const place = placeOf({ businessDate, currency });
      if (!places.has(place)) findings.add('totals of what nobody reported', place);
    }
  }
}

function text({ count, amount }: Figures): string {
  return `${count} of ${amount}`;
}
