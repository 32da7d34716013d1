import type { Figure } from '../bench/report.ts';
import type { CommandContext } from '../../cli/shared/command.ts';

/** A load far beyond the ordinary day, and what the app makes of it. */
export interface Limit {
  /** What it is called on the command line. */
  readonly name: string;
  /** The load, in a few words: `100,000 terminal reports of one date`. */
  readonly load: string;
  readonly measure: (context: CommandContext) => Promise<readonly Figure[]>;
}
