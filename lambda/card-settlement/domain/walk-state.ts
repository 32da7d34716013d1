import type { StagedAtTerminal, TerminalMismatch, TerminalReport } from './terminal-totals.ts';
import type { ControlTotals, MerchantTotals } from './totals.ts';

export interface Tally {
  readonly count: number;
  readonly ids: readonly string[];
}

export interface TerminalFindings {
  readonly count: number;
  readonly named: readonly TerminalMismatch[];
}

interface BookFindings {
  readonly totals: Readonly<Record<string, ControlTotals>>;
  readonly missing: Tally;
  /** Missing for longer than settlement may take. */
  readonly overdue: Tally;
  readonly unstaged: Tally;
  readonly mismatched: Tally;
  readonly sent: number;
}

export interface Findings extends BookFindings {
  readonly terminals: TerminalFindings;
}

export interface WalkState extends BookFindings {
  /** `books`: both, side by side. `terminals`: the staged book again, for the terminals that differ. */
  readonly phase: 'books' | 'terminals' | 'done';
  /** The last key of this phase, or empty. */
  readonly through: string;
  /** Totals of the merchant that the walk is in the middle of. */
  readonly merchant: readonly MerchantTotals[];
  readonly terminalSums: Uint8Array;
  /** How many terminals differ, the first of their reports, and what was staged there. */
  readonly terminals?: {
    readonly count: number;
    readonly reports: readonly TerminalReport[];
    readonly staged: readonly StagedAtTerminal[];
  };
}
