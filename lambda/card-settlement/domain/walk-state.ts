import type { StagedAtTerminal, TerminalMismatch, TerminalReport } from './terminal-totals.ts';
import type { ControlTotals, MerchantTotals } from './totals.ts';

export interface Tally {
  readonly count: number;
  readonly ids: readonly string[];
}

export interface TerminalFindings {
  readonly count: number;
  /** At most `BREAK_ID_LIMIT`. */
  readonly named: readonly TerminalMismatch[];
}

interface BookFindings {
  readonly totals: Readonly<Record<string, ControlTotals>>;
  /** Staged, but not in the ledger. */
  readonly missing: Tally;
  /** Missing for longer than settlement may take. */
  readonly overdue: Tally;
  /** In the ledger, but not staged. */
  readonly unstaged: Tally;
  /** In both, with different amounts or currencies. */
  readonly mismatched: Tally;
  readonly sent: number;
}

export interface Findings extends BookFindings {
  readonly terminals: TerminalFindings;
}

/** Everything that the next part of a walk needs. */
export interface WalkState extends BookFindings {
  /**
   * `books`: both books are walked side by side. `terminals`: what was staged is walked again, for the terminals whose
   * reports differ. `done`: nothing is left to walk.
   */
  readonly phase: 'books' | 'terminals' | 'done';
  /** The last key that this phase has walked, or empty. */
  readonly through: string;
  /** Totals of the merchant that the walk is in the middle of. */
  readonly merchant: readonly MerchantTotals[];
  readonly terminalSums: Uint8Array;
  /** The terminals that differ: their number, the first of their reports, and what was staged there. */
  readonly terminals?: {
    readonly count: number;
    readonly reports: readonly TerminalReport[];
    readonly staged: readonly StagedAtTerminal[];
  };
}
