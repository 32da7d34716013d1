import { addsUp, outcomes, type BusinessDay } from '../../cli/shared/business-day.ts';
import type { Findings } from './findings.ts';
import type { AcceptedFact } from './settlement-books.ts';
import type { EntryStatus, LedgerItem } from './tables.ts';

export interface CountAndAmount {
  readonly count: number;
  /** Minor units. */
  readonly amount: bigint;
}

/** A line of the conservation table: one date, one currency, as the client has it, and as the ledger has it. */
export interface ConservationRow extends Readonly<Record<'accepted' | EntryStatus, CountAndAmount>> {
  readonly businessDate: string;
  readonly currency: string;
  /** Of the day, as the API says it; `unknown` if it does not. */
  readonly status: string;
}

type Days = ReadonlyMap<string, BusinessDay>;

const NOTHING: CountAndAmount = { count: 0, amount: 0n };
const EMPTY = { accepted: NOTHING, settled: NOTHING, held: NOTHING, reversed: NOTHING, rejected: NOTHING };

export interface Conservation {
  readonly accept: (fact: AcceptedFact) => void;
  readonly enter: (entry: LedgerItem) => void;
  /** By date, then by currency. */
  readonly rows: (days: Days) => ConservationRow[];
}

/** Adds up, per date and currency, what the client was told is accepted, and what the ledger has of it. */
export function createConservation(): Conservation {
  const rows = new Map<string, Omit<ConservationRow, 'status'>>();
  const add = (
    { businessDate, currency }: { readonly businessDate: string; readonly currency: string },
    side: keyof typeof EMPTY,
    count: number,
    amount: bigint,
  ): void => {
    const key = `${businessDate} ${currency}`;
    const row = rows.get(key) ?? { businessDate, currency, ...EMPTY };
    const before = row[side];
    rows.set(key, { ...row, [side]: { count: before.count + count, amount: before.amount + amount } });
  };
  return {
    accept: (fact) => {
      // A review stages nothing: it moves what was staged.
      if (fact.type !== 'release' && fact.type !== 'reject') add(fact, 'accepted', 1, BigInt(fact.amount));
    },
    // What an entry does to the totals, by the rules of the API, written down a second time.
    enter: (entry) => {
      const { type, status, movesFrom, amount } = entry;
      if (movesFrom === undefined) {
        add(entry, status, 1, amount);
      } else if (type === 'reversal') {
        // The sale leaves where it was, and with its reversal makes two that come to nothing.
        add(entry, movesFrom, -1, amount);
        add(entry, 'reversed', 2, 0n);
      } else {
        add(entry, movesFrom, -1, -amount);
        add(entry, status, 1, amount);
      }
    },
    rows: (days) =>
      [...rows]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([, row]) => ({ ...row, status: days.get(row.businessDate)?.status ?? 'unknown' })),
  };
}

/** Staged = settled + held + reversed + rejected: as the client, the ledger and the API have it. */
export function checkConservation(rows: readonly ConservationRow[], days: Days, findings: Findings): void {
  for (const row of rows) checkRow(row, days.get(row.businessDate), findings);
  for (const [businessDate, day] of days) {
    if (!addsUp(day)) findings.add('staged is not settled + held + reversed + rejected', businessDate);
    for (const found of day.breaks) findings.add(`a break: ${JSON.stringify(found)}`, businessDate);
    for (const currency of Object.keys(day.totals)) {
      if (!rows.some((row) => row.businessDate === businessDate && row.currency === currency))
        findings.add('totals of what nobody reported', `${businessDate} ${currency}`);
    }
  }
}

function checkRow(row: ConservationRow, day: BusinessDay | undefined, findings: Findings): void {
  const { businessDate, currency, accepted } = row;
  const where = `${businessDate} ${currency}`;
  const sum = {
    count: outcomes.reduce((total, outcome) => total + row[outcome].count, 0),
    amount: outcomes.reduce((total, outcome) => total + row[outcome].amount, 0n),
  };
  if (!same(accepted, sum))
    findings.add(`accepted ${text(accepted)}, but the ledger comes to ${text(sum)}`, where);
  const totals = day?.totals[currency];
  const staged = figuresOf(totals?.staged);
  if (!same(accepted, staged))
    findings.add(`accepted ${text(accepted)}, but the day says ${text(staged)}`, where);
  for (const outcome of outcomes) {
    const said = figuresOf(totals?.[outcome]);
    if (!same(row[outcome], said))
      findings.add(`${outcome} in the ledger ${text(row[outcome])}, but the day says ${text(said)}`, where);
  }
}

function figuresOf(said: BusinessDay['totals'][string]['staged'] | undefined): CountAndAmount {
  return said === undefined ? NOTHING : { count: said.count, amount: BigInt(said.amount) };
}

function same(one: CountAndAmount, other: CountAndAmount): boolean {
  return one.count === other.count && one.amount === other.amount;
}

function text({ count, amount }: CountAndAmount): string {
  return `${count} of ${amount}`;
}
