import type { StagedAtTerminal, TerminalMismatch, TerminalReport } from './terminal-totals.ts';
import type { ControlTotals, MerchantTotals } from './totals.ts';

/** A number of facts, and the first of their ids. */
export interface Tally {
  readonly count: number;
  readonly ids: readonly string[];
}

/** The terminals whose reports differ from what was staged. */
export interface TerminalFindings {
  readonly count: number;
  /** At most `BREAK_ID_LIMIT`. */
  readonly named: readonly TerminalMismatch[];
}

/** What a walk through the books has found so far. */
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

/** How far a walk has come, with everything that its next part needs. */
export interface WalkState extends BookFindings {
  /**
   * `books`: both books are walked side by side. `terminals`: what was staged is walked again, for the terminals whose
   * reports differ. `done`: nothing is left to walk.
   */
  readonly phase: 'books' | 'terminals' | 'done';
  /** The last key that this phase has walked; empty at its beginning. */
  readonly through: string;
  /** Totals of the merchant that the walk is in the middle of. */
  readonly merchant: readonly MerchantTotals[];
  /** Of `createTerminalSums`. */
  readonly terminalSums: Uint8Array;
  /** How many terminals differ, the reports of the first of them, and what was staged there. */
  readonly terminals?: {
    readonly count: number;
    readonly reports: readonly TerminalReport[];
    readonly staged: readonly StagedAtTerminal[];
  };
}
