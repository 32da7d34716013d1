import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError, errorCode } from '../shared/command-error.ts';
import type { CsvRow } from '../replay/csv.ts';
import type { DemoDay } from './day.ts';

export async function* rowsOf(rows: DemoDay['transactions']): AsyncGenerator<CsvRow> {
  // Line 1 would name the columns.
  for (const [index, values] of rows.entries()) yield { line: index + 2, values };
}

/** Overwrites nothing but an earlier demo day. @returns the paths */
export async function writeDay(
  day: DemoDay,
  folder: string,
): Promise<{ readonly transactions: string; readonly merchants: string }> {
  const files = {
    transactions: path.join(folder, 'transactions.csv'),
    merchants: path.join(folder, 'merchants.csv'),
  };
  const merchants = csvOf(day.merchants);
  await refuseForeign(files.transactions, (text) => isDemoDay(text, day));
  await refuseForeign(files.merchants, (text) => text === merchants);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(files.transactions, csvOf(day.transactions));
    await writeFile(files.merchants, merchants);
  } catch (error) {
    throw new CommandError(`${folder} cannot be written to (${errorCode(error) ?? 'unknown error'}).`, {
      hint: 'Name a folder of your own with --write.',
      cause: error,
    });
  }
  return files;
}

async function refuseForeign(file: string, isOurs: (text: string) => boolean): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return;
  if (found.isFile() && isOurs(await readFile(file, 'utf8').catch(() => ''))) return;
  throw new CommandError(`${file} is not of a demo day, and would be overwritten.`, {
    hint: 'Name a folder of your own with --write.',
  });
}

function isDemoDay(text: string, day: DemoDay): boolean {
  const [header, ...rows] = text.split('\r\n');
  const columns = Object.keys(day.transactions[0] ?? {}).join(',');
  return header === columns && rows.every((row) => row === '' || /^demo_r[0-9a-f]{8}_\d+,/.test(row));
}

function csvOf(rows: readonly Readonly<Record<string, string>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => columns.map((column) => row[column] ?? ''));
  return [columns, ...lines].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
