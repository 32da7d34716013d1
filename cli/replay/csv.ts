import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CommandError } from '../shared/command-error.ts';

/** A row of a CSV file. */
export type CsvRow =
  | {
      /** The physical line on which the row begins; the first of the file is 1. */
      readonly line: number;
      /** By column; a column that the row lacks is ''. */
      readonly values: Readonly<Record<string, string>>;
    }
  | { readonly line: number; readonly fault: string };

/** A quoted field may go over several lines, but one that goes on for more than this was never closed. */
const longestRecordLines = 20;

/** So many records go to the parser at a time: one by one they would cost six times as much. */
const chunkRecords = 200;

interface RecordText {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads CSV (RFC 4180: quoted fields, either line end; a byte order mark is no harm) whose first line names its columns.
 * Constant memory. What is wrong with a row concerns that row only.
 *
 * @param pieces the text in pieces of any size
 * @param name of the file, for errors
 * @param requiredColumns without which the file is refused
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  name: string,
  requiredColumns: readonly string[],
): AsyncGenerator<CsvRow> {
  let columns: string[] | undefined;
  let chunk: RecordText[] = [];

  for await (const record of recordsOf(linesOf(pieces))) {
    if (columns === undefined) {
      columns = parseHeader(record, name, requiredColumns);
      continue;
    }
    chunk.push(record);
    if (chunk.length < chunkRecords) continue;
    yield* parseChunk(chunk, columns);
    chunk = [];
  }
  if (columns === undefined) throw new CommandError(`${name} is empty.`);
  yield* parseChunk(chunk, columns);
}

/** The text of a file in pieces; without a byte order mark. A file that cannot be read is a usage error. */
export async function openTextFile(file: string, name: string): Promise<AsyncIterable<string>> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new CommandError(`There is no file ${name}.`, { exitCode: 2 });
  if (!found.isFile()) throw new CommandError(`${name} is not a file.`, { exitCode: 2 });
  return createReadStream(file, { encoding: 'utf8' });
}

/** SHA-256 of a file's bytes, in hexadecimal. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  let first = true;
  for await (const piece of pieces) {
    const lines = (rest + (first ? piece.replace(/^\uFEFF/, '') : piece)).split('\n');
    first = false;
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  if (rest !== '') yield rest;
}

/** Joins the lines that a quoted field holds together. A quote that is never closed costs its own line only. */
async function* recordsOf(lines: AsyncIterable<string>): AsyncGenerator<RecordText> {
  let number = 0;
  let open: RecordText[] = [];
  for await (const line of lines) {
    number += 1;
    if (open.length === 0 && !isOpen(line)) {
      if (line.trim() !== '') yield { line: number, text: line };
      continue;
    }
    open.push({ line: number, text: line });
    if (open.length > 1 && isOpen(line)) {
      yield { line: open[0]?.line ?? number, text: open.map(({ text }) => text).join('\n') };
      open = [];
    } else if (open.length > longestRecordLines) {
      yield* giveUp(open);
      open = [];
    }
  }
  yield* giveUp(open);
}

/** Lines after an unclosed quote, each for itself. */
function* giveUp(open: readonly RecordText[]): Generator<RecordText> {
  for (const record of open) if (record.text.trim() !== '') yield record;
}

/** Whether an odd number of quotes leaves a field open at the line's end (or closes the one that was). */
function isOpen(line: string): boolean {
  let quotes = 0;
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}

function parseHeader(record: RecordText, name: string, requiredColumns: readonly string[]): string[] {
  const header = parseRecord(record);
  const columns = Array.isArray(header) ? header.map((column) => column.trim().toLowerCase()) : [];
  const missing = requiredColumns.filter((column) => !columns.includes(column));
  if (missing.length === 0) return columns;
  const list = missing.join(', ');
  throw new CommandError(
    missing.length === 1 ? `${name} lacks the column ${list}.` : `${name} lacks the columns ${list}.`,
    {
      hint:
        headerHint(record.text) ??
        `Its first line names the columns; needed are ${requiredColumns.join(', ')}.`,
    },
  );
}

/** What programs write that call themselves CSV and are not. */
function headerHint(header: string): string | undefined {
  // The first byte of each UTF-16 unit of Latin text is 0, and its byte order mark is no UTF-8.
  if (header.includes('\0') || header.includes('\uFFFD')) {
    return 'It seems to be in UTF-16: save it as UTF-8 (iconv -f UTF-16 -t UTF-8, or "CSV UTF-8" in a spreadsheet).';
  }
  if (header.includes(',')) return undefined;
  const [separator] = /[;\t|]/.exec(header) ?? [];
  if (separator === undefined) return undefined;
  const name = separator === ';' ? 'semicolons' : separator === '|' ? 'bars' : 'tabs';
  return `Its fields seem to be separated by ${name}: save it with commas.`;
}

function* parseChunk(chunk: readonly RecordText[], columns: readonly string[]): Generator<CsvRow> {
  const together = tryParse(chunk.map(({ text }) => text).join('\n'));
  for (const [index, record] of chunk.entries()) {
    // Unless all parsed and none was lost or split, each row is parsed alone to find the culprit.
    const fields =
      Array.isArray(together) && together.length === chunk.length ? together[index] : parseRecord(record);
    yield toRow(record.line, fields ?? 'it holds no fields', columns);
  }
}

function toRow(line: number, fields: readonly string[] | string, columns: readonly string[]): CsvRow {
  if (typeof fields === 'string') return { line, fault: fields };
  if (fields.length > columns.length) {
    return { line, fault: `it has ${fields.length} fields, but there are ${columns.length} columns` };
  }
  const values = Object.fromEntries(columns.map((column, index) => [column, (fields[index] ?? '').trim()]));
  return { line, values };
}

function parseRecord({ text }: RecordText): readonly string[] | string {
  const parsed = tryParse(text);
  return typeof parsed === 'string' ? parsed : (parsed[0] ?? 'it holds no fields');
}

/** @returns records of fields, or what is wrong */
function tryParse(text: string): string[][] | string {
  try {
    return parse(text, { relax_column_count: true, record_delimiter: '\n' });
  } catch {
    return 'its quotes do not match';
  }
}
