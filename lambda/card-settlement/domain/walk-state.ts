import type { Tally } from './business-day.ts';
import type { StagedAtTerminal, TerminalReport } from './terminal-totals.ts';
import type { ControlTotals, MerchantTotals } from './totals.ts';

/** How far a walk has come, and what it has found: everything that its next part needs. */
export interface WalkState {
  /**
   * `books`: both books are walked side by side. `terminals`: what was staged is walked once more, for the terminals whose
   * reports differ. `done`: nothing is left to walk.
   */
  readonly phase: 'books' | 'terminals' | 'done';
  /** The last key that this phase has walked; empty at its beginning. */
  readonly through: string;
  readonly totals: Readonly<Record<string, ControlTotals>>;
  readonly missing: Tally;
  readonly overdue: Tally;
  readonly unstaged: Tally;
  readonly mismatched: Tally;
  /** Totals of the merchant that the walk is in the middle of. */
  readonly merchant: readonly MerchantTotals[];
  readonly sent: number;
  /** Of `createTerminalSums`. */
  readonly terminalSums: Uint8Array;
  /** The terminals that differ: how many there are, the reports of the first, and what was staged there. */
  readonly terminals?: {
    readonly count: number;
    readonly reports: readonly TerminalReport[];
    readonly staged: readonly StagedAtTerminal[];
  };
}
