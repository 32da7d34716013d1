import type { Transaction } from '../../lambda/card-settlement/domain/transaction.ts';
import type { TerminalTotals } from '../../cli/replay/terminal-totals.ts';

export type FactType = Transaction['type'] | 'release' | 'reject';

/** A fact of the card settlement that the API has accepted, as its client remembers it: few bytes, as there are many. */
export interface AcceptedFact {
  readonly businessDate: string;
  readonly currency: string;
  readonly type: FactType;
  /** What it adds to what is staged, in minor units: sales are positive, a review adds nothing. */
  readonly amount: number;
  /** Of a transaction. */
  readonly terminalId: string | undefined;
}

/** The client's own books, which the app's are held against. */
export interface SettlementBooks {
  /** By id; the id of a decision is its transaction's with `#decision`. */
  readonly facts: ReadonlyMap<string, AcceptedFact>;
  /**
   * Notes an answer that accepts a fact. The same fact may be accepted again and again.
   *
   * @returns whether it says what was said before, if anything was
   */
  readonly accept: (factId: string, fact: AcceptedFact) => boolean;
  /** What the terminals have to report. */
  readonly terminalTotals: () => TerminalTotals[];
}

export function createSettlementBooks(): SettlementBooks {
  const facts = new Map<string, AcceptedFact>();
  // Every answer brings its own copy of the same few texts.
  const texts = new Map<string, string>();
  const one = (text: string): string => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  return {
    facts,
    accept: (factId, { businessDate, currency, type, amount, terminalId }) => {
      const known = facts.get(factId);
      if (known !== undefined) {
        return (
          known.businessDate === businessDate &&
          known.currency === currency &&
          known.type === type &&
          known.amount === amount
        );
      }
      facts.set(factId, {
        businessDate: one(businessDate),
        currency: one(currency),
        type,
        amount,
        terminalId: terminalId === undefined ? undefined : one(terminalId),
      });
      return true;
    },
    terminalTotals: () => terminalTotalsOf(facts.values()),
  };
}

function terminalTotalsOf(facts: Iterable<AcceptedFact>): TerminalTotals[] {
  const reports = new Map<string, { terminalId: string; businessDate: string; lines: Map<string, Line> }>();
  for (const { businessDate, currency, type, amount, terminalId } of facts) {
    if (terminalId === undefined) continue;
    const key = `${terminalId} ${businessDate}`;
    const report = reports.get(key) ?? { terminalId, businessDate, lines: new Map<string, Line>() };
    reports.set(key, report);
    const line = report.lines.get(`${type} ${currency}`) ?? { type, currency, count: 0, amount: 0n };
    report.lines.set(`${type} ${currency}`, {
      ...line,
      count: line.count + 1,
      // Terminals print what they paid back without a sign.
      amount: line.amount + BigInt(Math.abs(amount)),
    });
  }
  return [...reports.values()].map((report) => ({ ...report, lines: [...report.lines.values()] }));
}

type Line = TerminalTotals['lines'][number];
