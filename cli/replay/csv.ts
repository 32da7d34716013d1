import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CommandError, usageError } from '../shared/command-error.ts';

/** By the line on which the row begins; the file's first line is 1. */
export type CsvRow =
  | {
      readonly line: number;
      readonly values: Readonly<Record<string, string>>;
    }
  | { readonly line: number; readonly fault: string };

/** If a quoted field has more line breaks than this, its quote was never closed. */
const LONGEST_RECORD_LINES = 20;

/** Parsing records one by one takes six times as long. */
const CHUNK_RECORDS = 200;

interface RecordText {
  readonly line: number;
  readonly text: string;
}

/** RFC 4180 with either line end, in constant memory. Records are parsed apart, so that a bad row spoils no other. */
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
    if (chunk.length < CHUNK_RECORDS) continue;
    yield* parseChunk(chunk, columns);
    chunk = [];
  }
  if (columns === undefined) throw new CommandError(`${name} is empty.`);
  yield* parseChunk(chunk, columns);
}

export async function openTextFile(file: string, name: string): Promise<AsyncIterable<string>> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw usageError(`There is no file ${name}.`);
  if (!found.isFile()) throw usageError(`${name} is not a file.`);
  return createReadStream(file, { encoding: 'utf8' });
}

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

/** Joins the lines of a quoted field. A quote that is never closed spoils its own line only. */
async function* recordsOf(lines: AsyncIterable<string>): AsyncGenerator<RecordText> {
  let number = 0;
  let open: RecordText[] = [];
  const isThere = ({ text }: RecordText): boolean => text.trim() !== '';
  for await (const text of lines) {
    number += 1;
    const record = { line: number, text };
    if (open.length === 0 && !hasOddQuotes(text)) {
      if (isThere(record)) yield record;
      continue;
    }
    open.push(record);
    if (open.length > 1 && hasOddQuotes(text)) {
      yield { line: open[0]?.line ?? number, text: open.map((each) => each.text).join('\n') };
      open = [];
    } else if (open.length > LONGEST_RECORD_LINES) {
      yield* open.filter(isThere);
      open = [];
    }
  }
  yield* open.filter(isThere);
}

function hasOddQuotes(line: string): boolean {
  return line.split('"').length % 2 === 0;
}

function parseHeader(record: RecordText, name: string, requiredColumns: readonly string[]): string[] {
  const header = parseRecord(record);
  const columns = Array.isArray(header) ? header.map((column) => column.trim().toLowerCase()) : [];
  const missing = requiredColumns.filter((column) => !columns.includes(column));
  if (missing.length === 0) return columns;
  throw new CommandError(
    `${name} lacks the column${missing.length === 1 ? '' : 's'} ${missing.join(', ')}.`,
    {
      hint:
        headerHint(record.text) ??
        `Its first line names the columns; needed are ${requiredColumns.join(', ')}.`,
    },
  );
}

function headerHint(header: string): string | undefined {
  // In UTF-16, the first byte of a Latin letter is 0, and the byte order mark is no UTF-8.
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
  const isWhole = Array.isArray(together) && together.length === chunk.length;
  // If a record is bad, each is parsed alone to find it.
  for (const [index, record] of chunk.entries())
    yield toRow(record.line, (isWhole ? together[index] : undefined) ?? parseRecord(record), columns);
}

function toRow(line: number, fields: readonly string[] | string, columns: readonly string[]): CsvRow {
  if (typeof fields === 'string') return { line, fault: fields };
  if (fields.length > columns.length)
    return { line, fault: `it has ${fields.length} fields, but there are ${columns.length} columns` };
  const values = columns.map((column, index) => [column, (fields[index] ?? '').trim()]);
  return { line, values: Object.fromEntries(values) };
}

function parseRecord({ text }: RecordText): readonly string[] | string {
  const parsed = tryParse(text);
  return typeof parsed === 'string' ? parsed : (parsed[0] ?? 'it holds no fields');
}

function tryParse(text: string): string[][] | string {
  try {
    return parse(text, { relax_column_count: true, record_delimiter: '\n' });
  } catch {
    return 'its quotes do not match';
  }
}
