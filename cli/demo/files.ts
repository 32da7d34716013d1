import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError, errorCode } from '../command-error.ts';
import type { CsvRow } from '../replay/csv.ts';
import type { DemoDay } from './day.ts';

/** Rows as a file of them would be read. */
export async function* rowsOf(rows: DemoDay['transactions']): AsyncGenerator<CsvRow> {
  // The first line of a file names its columns.
  for (const [index, values] of rows.entries()) yield { line: index + 2, values };
}

/** Writes `transactions.csv` and `merchants.csv`, which `replay` takes. @returns their paths */
export async function writeDay(
  day: DemoDay,
  folder: string,
): Promise<{ readonly transactions: string; readonly merchants: string }> {
  const files = {
    transactions: path.join(folder, 'transactions.csv'),
    merchants: path.join(folder, 'merchants.csv'),
  };
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(files.transactions, csvOf(day.transactions));
    await writeFile(files.merchants, csvOf(day.merchants));
  } catch (error) {
    throw new CommandError(`${folder} cannot be written to (${errorCode(error) ?? 'unknown error'}).`, {
      hint: 'Name a folder of your own with --write.',
      cause: error,
    });
  }
  return files;
}

/** RFC 4180; the columns are those of the first row. */
function csvOf(rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => columns.map((column) => row[column] ?? ''));
  return [columns, ...lines].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
