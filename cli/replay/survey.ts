import type { CsvRow } from './csv.ts';
import { labelColumn, parseTransactionRow } from './rows.ts';

/** What must be known of a file before its first row is sent. */
export interface Survey {
  /** Rows, bad ones included. */
  readonly rows: number;
  /** The latest instant; undefined if no row has one. */
  readonly last: Date | undefined;
  /** The `transaction_id`s that rows name as their original. */
  readonly originals: ReadonlySet<string>;
  readonly terminals: ReadonlySet<string>;
  /** Whether the file says which of its rows are fraud. */
  readonly labelled: boolean;
}

/** Reads a file of transactions once through. */
export async function survey(rows: AsyncIterable<CsvRow>): Promise<Survey> {
  let count = 0;
  let last: Date | undefined;
  const originals = new Set<string>();
  const terminals = new Set<string>();
  let labelled = false;
  for await (const csvRow of rows) {
    count += 1;
    const row = 'fault' in csvRow ? csvRow.fault : parseTransactionRow(csvRow.line, csvRow.values);
    if (typeof row === 'string') continue;
    terminals.add(row.body.terminalId);
    labelled ||= 'values' in csvRow && labelColumn in csvRow.values;
    if (last === undefined || row.occurredAt > last) last = row.occurredAt;
    if (row.originalTransactionId !== undefined) originals.add(row.originalTransactionId);
  }
  return { rows: count, last, originals, terminals, labelled };
}
