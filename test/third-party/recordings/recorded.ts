import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { describeJudge } from '../judges/judge.ts';
import type { Tally } from '../judges/judge.ts';
import type { Recorded } from './compare.ts';

/** Where the answers lie that AWS gave to LocalStack's tests; its README says how to read them. */
const folder = process.env['DUOTEMPO_AWS_RECORDINGS'] ?? '';

const isThere = folder !== '' && existsSync(join(folder, 'event-patterns'));

/** Groups the tests that compare answers here with those that AWS gave. */
export function describeRecorded(subject: string, body: (tally: Tally) => void): void {
  const needs = isThere ? undefined : 'DUOTEMPO_AWS_RECORDINGS must name the folder of the recordings';
  describeJudge(`AWS, recorded: ${subject}`, needs, body, false);
}

export function recordedPath(...names: readonly string[]): string {
  return join(folder, ...names);
}

export function readRecorded(...names: readonly string[]): string {
  return readFileSync(recordedPath(...names), 'utf8');
}

/** What AWS answered in one test, by the label that the test gave each answer. */
export type RecordedAnswers = Readonly<Record<string, Recorded>>;

/** Recorded tests that are not re-enacted, by their names, with the reason. */
export type LeftAside = readonly (readonly [name: RegExp, reason: string])[];

/** Fails where a recorded test with answers is neither asked nor left aside for a reason. */
export function accountFor(
  recorded: ReadonlyMap<string, RecordedAnswers>,
  {
    asked,
    leftAside,
    tally,
  }: { readonly asked: readonly string[]; readonly leftAside: LeftAside; readonly tally: Tally },
): void {
  const answered = [...recorded].filter(([, answers]) => Object.keys(answers).length > 0);
  const others = answered.map(([name]) => name).filter((name) => !asked.includes(name));
  const reasonOf = (name: string) => leftAside.find(([pattern]) => pattern.test(name))?.[1];
  expect(others.filter((name) => reasonOf(name) === undefined)).toEqual([]);
  for (const reason of others.flatMap((name) => reasonOf(name) ?? [])) tally.leaveAside(reason);
  expect(asked.filter((name) => !recorded.has(name))).toEqual([]);
}

/** @returns the answers of each test of a file, by its name. */
export function readAnswers(file: string): ReadonlyMap<string, RecordedAnswers> {
  const tests = JSON.parse(readRecorded(file), plainly) as Readonly<
    Record<string, { readonly 'recorded-content': RecordedAnswers }>
  >;
  return new Map(
    Object.entries(tests).map(([name, test]) => [name.replace(/^.*?\.py::/, ''), test['recorded-content']]),
  );
}

const ANY_NUMBER: readonly unknown[] = [
  'sent-timestamp',
  'starting-sequence-number',
  '<approximate-first-receive-timestamp>',
];

/** Placeholders for what the recorder left in its own form; an error's text once. */
function plainly(key: string, value: unknown): unknown {
  if (key === 'NextToken') return '<token:1>';
  if (ANY_NUMBER.includes(value)) return 'timestamp';
  if (value === 'sender-id') return '<sender-id:1>';
  if (value === '<datetime>' || value === '<approximate-creation-datetime>') return 'datetime';
  if (typeof value === 'string' && value.startsWith('<timestamp:')) {
    return value.includes('.') ? 'datetime' : 'datetime, without milliseconds';
  }
  if (typeof value === 'string') {
    return value.replace('http://sqs.<region>.localhost.localstack.cloud:4566', '<endpoint:1>');
  }
  if (typeof value !== 'object' || value === null || !('Error' in value && 'message' in value)) return value;
  const { message: _, ...rest } = value;
  return rest;
}
