import * as v from 'valibot';
import type { World } from './world.ts';

/*
 * What the books must say, worked out from the raw items of both tables by the plainest means: a transaction ends in one
 * status, told by the decision on it, or else by its entry; a decision moves it there in the books of the decision's date.
 */

const Fact = v.object({
  transactionId: v.string(),
  businessDate: v.string(),
  merchantId: v.string(),
  type: v.picklist(['sale', 'refund', 'reversal', 'release', 'reject']),
  originalType: v.optional(v.string(), 'none'),
  amount: v.number(),
  currency: v.string(),
});
export type RawFact = v.InferOutput<typeof Fact>;

const Whole = v.pipe(
  v.union([v.number(), v.bigint()]),
  v.transform((value) => BigInt(value)),
);

const Entry = v.looseObject({
  transactionId: v.string(),
  businessDate: v.string(),
  merchantId: v.string(),
  type: v.string(),
  status: v.picklist(['settled', 'held', 'reversed', 'rejected']),
  amount: Whole,
  currency: v.string(),
  settlementCurrency: v.string(),
  gross: Whole,
  fee: Whole,
  net: Whole,
});
export type RawEntry = v.InferOutput<typeof Entry>;

const Total = v.object({
  scopeKey: v.string(),
  merchantId: v.string(),
  currency: v.string(),
  count: v.number(),
  gross: v.pipe(v.string(), v.toBigint()),
  fees: v.pipe(v.string(), v.toBigint()),
  net: v.pipe(v.string(), v.toBigint()),
});

export interface Books {
  readonly facts: ReadonlyMap<string, RawFact>;
  readonly entries: ReadonlyMap<string, RawEntry>;
  /** `<date>#<revision>#<merchantId>#<currency>` → what the merchant gets. */
  readonly merchantTotals: ReadonlyMap<string, Sums>;
}

export interface Sums {
  readonly count: number;
  readonly gross: bigint;
  readonly fees: bigint;
  readonly net: bigint;
}

export async function readBooks(world: World): Promise<Books> {
  const [staged, ledger, days] = [
    await world.scan('staged'),
    await world.scan('ledger'),
    await world.scan('businessDays'),
  ];
  return {
    facts: byId(staged.map((item) => v.parse(Fact, item))),
    entries: byId(ledger.map((item) => v.parse(Entry, item))),
    merchantTotals: new Map(
      days
        .filter(({ scopeKey }) => String(scopeKey).startsWith('settlement#'))
        .map((item) => v.parse(Total, item))
        .map(({ scopeKey, merchantId, currency, ...sums }) => [
          `${scopeKey.slice('settlement#'.length)}#${merchantId}#${currency}`,
          sums,
        ]),
    ),
  };
}

function byId<T extends { readonly transactionId: string }>(all: readonly T[]): Map<string, T> {
  const map = new Map(all.map((each) => [each.transactionId, each]));
  if (map.size !== all.length) throw new Error('There are two items of one fact.');
  return map;
}

export type Status = RawEntry['status'];

/** A transaction, with the entries that say what became of it. */
export interface Fate {
  readonly fact: RawFact;
  readonly entry: RawEntry;
  readonly decision: { readonly fact: RawFact; readonly entry: RawEntry } | undefined;
  readonly status: Status;
}

/** What became of every transaction. @throws Error if one has no entry, or a decision none */
export function fatesOf({ facts, entries }: Books): Fate[] {
  const entryOf = (id: string): RawEntry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new Error(`${id} has no entry.`);
    return entry;
  };
  return [...facts.values()]
    .filter(({ transactionId }) => !transactionId.includes('#'))
    .map((fact) => {
      const entry = entryOf(fact.transactionId);
      const decided = facts.get(`${fact.transactionId}#decision`);
      if (decided === undefined) return { fact, entry, decision: undefined, status: entry.status };
      const status = { release: 'settled', reject: 'rejected', reversal: 'reversed' } as const;
      const { type } = decided;
      if (type === 'sale' || type === 'refund') throw new Error(`${type} is no decision.`);
      const decision = { fact: decided, entry: entryOf(decided.transactionId) };
      return { fact, entry, decision, status: status[type] };
    });
}

export interface Line {
  count: number;
  amount: bigint;
}

/** `<date>#<currency>#<staged or a status>` → count and amount; nothing is left out. */
export type Control = ReadonlyMap<string, Line>;

export function controlOf(fates: readonly Fate[]): Control {
  const lines = new Map<string, Line>();
  function add(date: string, currency: string, side: 'staged' | Status, count: number, amount: bigint): void {
    const key = `${date}#${currency}#${side}`;
    const line = lines.get(key) ?? { count: 0, amount: 0n };
    lines.set(key, { count: line.count + count, amount: line.amount + amount });
  }
  for (const { fact, entry, decision, status } of fates) {
    const { businessDate: date, currency } = fact;
    const amount = signed(fact.type, fact.amount);
    add(date, currency, 'staged', 1, amount);
    if (decision === undefined) add(date, currency, entry.status, 1, amount);
    else if (decision.fact.type === 'reversal') {
      add(date, currency, 'staged', 1, -amount);
      // The sale and its reversal: two transactions, and nothing in sum.
      add(date, currency, 'reversed', 2, 0n);
    } else {
      add(date, currency, 'held', 1, amount);
      add(decision.fact.businessDate, currency, 'held', -1, -amount);
      add(decision.fact.businessDate, currency, status, 1, amount);
    }
  }
  return new Map([...lines].filter(([, { count, amount }]) => count !== 0 || amount !== 0n));
}

/** What merchants get, by `<date>#<merchantId>#<settlement currency>`. */
export function merchantSumsOf(fates: readonly Fate[]): ReadonlyMap<string, Sums> {
  const sums = new Map<string, Sums>();
  function add(
    date: string,
    { merchantId, settlementCurrency }: RawEntry,
    count: number,
    by?: RawEntry,
  ): void {
    const key = `${date}#${merchantId}#${settlementCurrency}`;
    const before = sums.get(key) ?? { count: 0, gross: 0n, fees: 0n, net: 0n };
    sums.set(key, {
      count: before.count + count,
      gross: before.gross + (by?.gross ?? 0n),
      fees: before.fees + (by?.fee ?? 0n),
      net: before.net + (by?.net ?? 0n),
    });
  }
  for (const { fact, entry, decision, status } of fates) {
    if (status === 'settled') add(decision?.fact.businessDate ?? fact.businessDate, entry, 1, entry);
    if (status === 'reversed') add(fact.businessDate, entry, 2);
  }
  return sums;
}

export function signed(type: string, amount: number): bigint {
  return type === 'sale' ? BigInt(amount) : -BigInt(amount);
}
