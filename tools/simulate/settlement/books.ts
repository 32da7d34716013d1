import { tables } from '../../../lambda/card-settlement/contract.ts';
import { isSealed, type BusinessDay } from '../../../lambda/card-settlement/domain/business-day.ts';
import { createLog, type Log } from '../log.ts';
import {
  controlOf,
  fatesOf,
  merchantSumsOf,
  readBooks,
  signed,
  type Books,
  type Control,
  type Fate,
  type Line,
  type RawEntry,
  type RawFact,
} from './oracle.ts';
import type { World } from './world.ts';

const { byHeld } = tables.ledger;

/**
 * Expects the books of a world to be conserved, in every way that they can be added up.
 * @throws BrokenGuarantee
 */
export async function expectConserved(
  world: World,
  { expect }: Pick<Log, 'expect'> = createLog(),
): Promise<{ readonly books: Books; readonly fates: Fate[] }> {
  const books = await readBooks(world);
  const { facts, entries } = books;
  expect('every fact has one entry', [...entries.keys()].toSorted(), [...facts.keys()].toSorted());
  for (const [id, fact] of facts) {
    const entry = entries.get(id);
    expect('an entry belongs where its fact does', entry && placeOf(entry), placeOf(fact));
  }
  const fates = fatesOf(books);
  for (const fate of fates) expectEntryAsDecided(fate, expect);

  const ended = (await world.days()).filter(isSealed);
  const endedDates = new Set(ended.map(({ businessDate }) => businessDate));
  const elsewhere = [...facts.values()].filter(({ businessDate }) => !endedDates.has(businessDate));
  expect('every fact belongs to a day', elsewhere, []);
  for (const { status, breaks } of ended) {
    const others = breaks.filter(({ kind }) => kind !== 'terminal-totals' && kind !== 'straggler');
    expect('every day balances, without breaks', { status, others }, { status: 'balanced', others: [] });
  }

  const said = controlSaid(ended);
  expect('days say what follows from the raw items', said, controlOf(fates));
  for (const [key, sum] of sidesOf(said))
    expect('staged = settled + held + reversed + rejected', { key, ...sum }, { key, count: 0, amount: 0n });
  const statuses = overAllDates(statusCounts(fates));
  expect('each transaction stands in one status', overAllDates(said), statuses);

  const revisions = new Map(ended.map(({ businessDate, revision }) => [businessDate, revision]));
  const final = [...books.merchantTotals]
    .map(([key, sums]) => [key.split('#'), sums] as const)
    .filter(([[date = '', revision]]) => String(revisions.get(date)) === revision)
    .map(([[date, , merchantId, currency], sums]) => [`${date}#${merchantId}#${currency}`, sums] as const);
  expect('merchants get what their entries say', new Map(final), merchantSumsOf(fates));
  return { books, fates };
}

function placeOf({ businessDate, merchantId, type, currency }: RawFact | RawEntry) {
  return { businessDate, merchantId, type, currency };
}

/** The entry of a decision follows from its original's, and that one from its fact. */
function expectEntryAsDecided({ fact, entry, decision }: Fate, expect: Log['expect']): void {
  const said = { amount: entry.amount, net: entry.net };
  const amount = signed(fact.type, fact.amount);
  expect('an entry follows from its fact', said, { amount, net: entry.gross - entry.fee });
  if (decision === undefined) return;
  const { type, businessDate } = decision.fact;
  const isReversal = type === 'reversal';
  const factor = isReversal ? -1n : 1n;
  const decided = {
    original: isReversal ? businessDate : entry.status,
    status: decision.entry.status,
    ...moneyOf(decision.entry, 1n),
  };
  expect('a decision follows from its original', decided, {
    original: isReversal ? fact.businessDate : 'held',
    status: isReversal ? 'reversed' : type === 'release' ? 'settled' : 'rejected',
    ...moneyOf(entry, factor),
  });
}

function moneyOf({ amount, gross, fee, net, settlementCurrency }: RawEntry, factor: bigint) {
  return {
    amount: factor * amount,
    gross: factor * gross,
    fee: factor * fee,
    net: factor * net,
    settlementCurrency,
  };
}

/** What was staged less all else, by date and currency. */
function sidesOf(control: Control): ReadonlyMap<string, Line> {
  const sides = new Map<string, Line>();
  for (const [key, { count, amount }] of control) {
    const [date, currency, side] = key.split('#');
    const sum = sides.get(`${date}#${currency}`) ?? { count: 0, amount: 0n };
    const sign = side === 'staged' ? 1 : -1;
    sides.set(`${date}#${currency}`, {
      count: sum.count + sign * count,
      amount: sum.amount + BigInt(sign) * amount,
    });
  }
  return sides;
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
  log: Pick<Log, 'expect'> = createLog(),
): Promise<{ readonly outcome: unknown; readonly fates: Fate[] }> {
  const { books, fates } = await expectConserved(world, log);
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
