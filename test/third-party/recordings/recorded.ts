import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';

/** Where the answers lie that AWS gave to LocalStack's tests; its README says how to read them. */
const folder = process.env['DUOTEMPO_AWS_RECORDINGS'] ?? '';

/** Tests in it are skipped, and say so, where there are no recordings. */
export const describeWithRecordings =
  folder !== '' && existsSync(join(folder, 'event-patterns')) ? describe : describe.skip;

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
