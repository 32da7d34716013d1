import type { CsvRow } from './csv.ts';
import { parseTransactionRow } from './rows.ts';

/** What must be known of a file before its first row is sent. */
export interface Survey {
  /** Rows, bad ones included. */
  readonly rows: number;
  /** The latest instant; undefined if no row has one. */
  readonly last: Date | undefined;
  /** The `transaction_id`s that rows name as their original. */
  readonly originals: ReadonlySet<string>;
}

/** Reads a file of transactions once through. */
export async function survey(rows: AsyncIterable<CsvRow>): Promise<Survey> {
  let count = 0;
  let last: Date | undefined;
  const originals = new Set<string>();
  for await (const csvRow of rows) {
    count += 1;
    const row = 'fault' in csvRow ? csvRow.fault : parseTransactionRow(csvRow.line, csvRow.values);
    if (typeof row === 'string') continue;
    if (last === undefined || row.occurredAt > last) last = row.occurredAt;
    if (row.originalTransactionId !== undefined) originals.add(row.originalTransactionId);
  }
  return { rows: count, last, originals };
}
