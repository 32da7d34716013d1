import { terminalKeyOf } from './identifiers.ts';
import type { StagedSummary } from './totals.ts';
import { isReviewKind, type Transaction } from './transaction.ts';

/** Amounts are positive minor units, as terminals print them. */
export interface TerminalLine {
  readonly type: Transaction['type'];
  readonly currency: string;
  readonly count: number;
  readonly amount: bigint;
}

export interface TerminalReport {
  readonly clientId: string;
  readonly terminalId: string;
  readonly totals: readonly TerminalLine[];
}

export interface TerminalMismatch {
  readonly terminalId: string;
  readonly expected: readonly TerminalLine[];
  readonly actual: readonly TerminalLine[];
}

const SHOWN_LINES = 6;

export interface StagedAtTerminal {
  readonly clientId: string;
  readonly terminalId: string;
  readonly lines: readonly TerminalLine[];
}

/** @param before what an earlier part of the walk has added up */
export function createTerminalComparison(
  reports: readonly TerminalReport[],
  before: readonly StagedAtTerminal[] = [],
): {
  readonly add: (staged: StagedSummary) => void;
  readonly staged: () => StagedAtTerminal[];
  readonly mismatches: () => TerminalMismatch[];
} {
  const linesOf = new Map(
    [...reports, ...before].map(({ clientId, terminalId }) => [
      terminalKeyOf({ clientId, terminalId }),
      new Map<string, TerminalLine>(),
    ]),
  );
  for (const { clientId, terminalId, lines } of before)
    for (const line of lines) linesOf.get(terminalKeyOf({ clientId, terminalId }))?.set(lineKey(line), line);
  return {
    add: ({ clientId, terminalId, kind: type, currency, amount }) => {
      if (clientId === undefined || terminalId === undefined || isReviewKind(type)) return;
      const lines = linesOf.get(terminalKeyOf({ clientId, terminalId }));
      if (lines === undefined) return;
      const line = lines.get(lineKey({ type, currency })) ?? { type, currency, count: 0, amount: 0n };
      lines.set(lineKey(line), { ...line, count: line.count + 1, amount: line.amount + BigInt(amount) });
    },
    staged: () =>
      reports.map(({ clientId, terminalId }) => ({
        clientId,
        terminalId,
        lines: [...(linesOf.get(terminalKeyOf({ clientId, terminalId }))?.values() ?? [])],
      })),
    mismatches: () =>
      reports.flatMap(({ clientId, terminalId, totals }) => {
        const staged =
          linesOf.get(terminalKeyOf({ clientId, terminalId })) ?? new Map<string, TerminalLine>();
        const differing = differingLines(totals, staged);
        if (differing.length === 0) return [];
        return [
          {
            terminalId,
            expected: differing.map(([one, other]) => one ?? nothingOf(other)),
            actual: differing.map(([one, other]) => other ?? nothingOf(one)),
          },
        ];
      }),
  };
}

/** A line of nothing equals no line. */
function differingLines(totals: readonly TerminalLine[], staged: ReadonlyMap<string, TerminalLine>) {
  const reported = new Map(totals.map((line) => [lineKey(line), line]));
  return [...new Set([...reported.keys(), ...staged.keys()])]
    .toSorted()
    .map((key) => [reported.get(key), staged.get(key)] as const)
    .filter(
      ([one, other]) =>
        (one?.count ?? 0) !== (other?.count ?? 0) || (one?.amount ?? 0n) !== (other?.amount ?? 0n),
    )
    .slice(0, SHOWN_LINES);
}

function nothingOf(line: TerminalLine | undefined): TerminalLine {
  if (line === undefined) throw new RangeError('a difference has a line on one side at least');
  return { type: line.type, currency: line.currency, count: 0, amount: 0n };
}

export function lineKey({ type, currency }: Pick<TerminalLine, 'type' | 'currency'>): string {
  return `${currency}#${type}`;
}
