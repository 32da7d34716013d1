import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import type { Recorded } from './compare.ts';

/** Where the answers lie that AWS gave to LocalStack's tests; its README says how to read them. */
const folder = process.env['DUOTEMPO_AWS_RECORDINGS'] ?? '';

const isThere = folder !== '' && existsSync(join(folder, 'event-patterns'));
const skipped = test.skip;

/** Where there are no recordings to read tests from, it is one test that is skipped, and says so. */
export const describeWithRecordings: (title: string, body: () => void) => void = isThere
  ? describe
  : (title) => skipped(title, () => undefined);

export function recordedPath(...names: readonly string[]): string {
  return join(folder, ...names);
}

export function readRecorded(...names: readonly string[]): string {
  return readFileSync(recordedPath(...names), 'utf8');
}

/** One line of what the judge found, past Jest's own reports. */
export function report(line: string): void {
  process.stderr.write(`recorded on AWS: ${line}\n`);
}

/** What AWS answered in one test, by the label that the test gave each answer. */
export type RecordedAnswers = Readonly<Record<string, Recorded>>;

/** @returns the answers of each test of a file, by its name. */
export function readAnswers(file: string): ReadonlyMap<string, RecordedAnswers> {
  const tests = JSON.parse(readRecorded(file), plainly) as Readonly<
    Record<string, { readonly 'recorded-content': RecordedAnswers }>
  >;
  return new Map(
    Object.entries(tests).map(([name, test]) => [name.replace(/^.*?\.py::/, ''), test['recorded-content']]),
  );
}

/** Placeholders for what the recorder left in its own form; an error's text once. */
function plainly(key: string, value: unknown): unknown {
  if (key === 'NextToken') return '<token:1>';
  if (value === 'sent-timestamp' || value === '<approximate-first-receive-timestamp>') return 'timestamp';
  if (value === 'sender-id') return '<sender-id:1>';
  if (typeof value === 'string') {
    return value.replace('http://sqs.<region>.localhost.localstack.cloud:4566', '<endpoint:1>');
  }
  if (typeof value !== 'object' || value === null || !('Error' in value && 'message' in value)) return value;
  const { message: _, ...rest } = value;
  return rest;
}
