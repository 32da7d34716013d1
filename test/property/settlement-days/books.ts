import { expect } from '@jest/globals';
import { tables } from '../../../lambda/card-settlement/contract.ts';
import { isSealed, type BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import {
  controlOf,
  fatesOf,
  merchantSumsOf,
  readBooks,
  signed,
  type Books,
  type Control,
  type Fate,
} from './oracle.ts';
import type { World } from './world.ts';

const { byHeld } = tables.ledger;

/** Expects the books of a world to be conserved, in every way that they can be added up. */
export async function expectConserved(
  world: World,
): Promise<{ readonly books: Books; readonly fates: Fate[] }> {
  const books = await readBooks(world);
  const { facts, entries } = books;
  expect([...entries.keys()].toSorted()).toEqual([...facts.keys()].toSorted());
  for (const [id, { businessDate, merchantId, type, currency }] of facts) {
    expect(entries.get(id)).toMatchObject({ businessDate, merchantId, type, currency });
  }
  const fates = fatesOf(books);
  expectEntriesAsDecided(fates);

  const ended = (await world.days()).filter(isSealed);
  const endedDates = new Set(ended.map(({ businessDate }) => businessDate));
  expect([...facts.values()].filter(({ businessDate }) => !endedDates.has(businessDate))).toEqual([]);
  for (const day of ended) {
    expect(day.status).toBe('balanced');
    expect(day.breaks.filter(({ kind }) => kind !== 'terminal-totals' && kind !== 'straggler')).toEqual([]);
  }

  // What the days say of themselves is what follows from the raw items.
  const said = controlSaid(ended);
  expect(said).toEqual(controlOf(fates));
  const sides = new Map<string, { count: number; amount: bigint }>();
  for (const [key, { count, amount }] of said) {
    const [date, currency, side] = key.split('#');
    const sum = sides.get(`${date}#${currency}`) ?? { count: 0, amount: 0n };
    const sign = side === 'staged' ? 1 : -1;
    sides.set(`${date}#${currency}`, {
      count: sum.count + sign * count,
      amount: sum.amount + BigInt(sign) * amount,
    });
  }
  for (const [key, sum] of sides) expect({ key, ...sum }).toEqual({ key, count: 0, amount: 0n });

  // Over all dates, each transaction stands in one status, and nowhere else.
  expect(overAllDates(said)).toEqual(overAllDates(statusCounts(fates)));

  const revisions = new Map(ended.map(({ businessDate, revision }) => [businessDate, revision]));
  const final = [...books.merchantTotals]
    .map(([key, sums]) => [key.split('#'), sums] as const)
    .filter(([[date = '', revision]]) => String(revisions.get(date)) === revision)
    .map(([[date, , merchantId, currency], sums]) => [`${date}#${merchantId}#${currency}`, sums] as const);
  expect(new Map(final)).toEqual(merchantSumsOf(fates));
  return { books, fates };
}

/** The entry of a decision follows from its original's, and that one from its fact. */
function expectEntriesAsDecided(fates: readonly Fate[]): void {
  for (const { fact, entry, decision } of fates) {
    expect(entry.amount).toBe(signed(fact.type, fact.amount));
    expect(entry.net).toBe(entry.gross - entry.fee);
    if (decision === undefined) continue;
    const { amount, gross, fee, net, settlementCurrency } = decision.entry;
    const decided = { amount, gross, fee, net, settlementCurrency };
    if (decision.fact.type === 'reversal') {
      expect(decided).toEqual({
        amount: -entry.amount,
        gross: -entry.gross,
        fee: -entry.fee,
        net: -entry.net,
        settlementCurrency: entry.settlementCurrency,
      });
      expect(decision.fact.businessDate).toBe(fact.businessDate);
      expect(decision.entry.status).toBe('reversed');
    } else {
      expect(entry.status).toBe('held');
      expect(decided).toEqual({
        amount: entry.amount,
        gross: entry.gross,
        fee: entry.fee,
        net: entry.net,
        settlementCurrency: entry.settlementCurrency,
      });
      expect(decision.entry.status).toBe(decision.fact.type === 'release' ? 'settled' : 'rejected');
    }
  }
}

function controlSaid(days: readonly BusinessDay[]): Control {
  return new Map(
    days.flatMap(({ businessDate, totals }) =>
      Object.entries(totals).flatMap(([currency, sides]) =>
        Object.entries(sides)
          .filter(([, { count, amount }]) => count !== 0 || amount !== 0n)
          .map(([side, line]) => [`${businessDate}#${currency}#${side}`, line] as const),
      ),
    ),
  );
}

/** One for each transaction in the status where it ended, and one for each reversal. */
function statusCounts(fates: readonly Fate[]): Control {
  const lines = new Map<string, { count: number; amount: bigint }>();
  for (const { fact, status } of fates) {
    const amount = signed(fact.type, fact.amount);
    for (const [side, count, by] of [
      ['staged', 1, amount],
      [status, 1, amount],
      ...(status === 'reversed'
        ? ([
            ['staged', 1, -amount],
            ['reversed', 1, -amount],
          ] as const)
        : []),
    ] as const) {
      const key = `any#${fact.currency}#${side}`;
      const line = lines.get(key) ?? { count: 0, amount: 0n };
      lines.set(key, { count: line.count + count, amount: line.amount + by });
    }
  }
  return lines;
}

function overAllDates(control: Control): Control {
  const lines = new Map<string, { count: number; amount: bigint }>();
  for (const [key, { count, amount }] of control) {
    const [, currency, side] = key.split('#');
    const line = lines.get(`${currency}#${side}`) ?? { count: 0, amount: 0n };
    lines.set(`${currency}#${side}`, { count: line.count + count, amount: line.amount + amount });
  }
  return new Map([...lines].filter(([, { count, amount }]) => count !== 0 || amount !== 0n));
}

/** What two worlds that played one script must agree on. */
export async function outcomeOf(
  world: World,
): Promise<{ readonly outcome: unknown; readonly fates: Fate[] }> {
  const { books, fates } = await expectConserved(world);
  const reversed = new Set(
    fates.filter(({ status }) => status === 'reversed').map(({ fact }) => fact.transactionId),
  );
  const days = await world.days();
  const outcome = {
    statuses: sortedEntries(fates.map(({ fact, status }) => [fact.transactionId, status])),
    entries: sortedEntries(
      [...books.entries].map(([id, { settledAt: _written, ...entry }]) => {
        if (!reversed.has(id.replace('#decision', ''))) return [id, entry];
        // Whether a sale was settled before it was reversed is a race that it may win or lose.
        // Where it stands in the index of what is held follows from its status.
        const { status: _status, movesFrom: _movesFrom, [byHeld.partitionKey]: _held, ...rest } = entry;
        return [id, rest];
      }),
    ),
    days: sortedEntries(
      days.map(({ businessDate, revision, totals, breaks }) => [businessDate, { revision, totals, breaks }]),
    ),
    merchantTotals: sortedEntries([...books.merchantTotals]),
  };
  return { outcome, fates };
}

function sortedEntries<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
