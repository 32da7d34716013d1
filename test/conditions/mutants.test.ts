import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { readMutants } from '../../tools/simulate/mutants.ts';

/** Goal: a simulation sees what breaks. Method: small breaks of the code, kept as patches, which `simulate` must find. */

const project = path.join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

async function simulate(...argv: string[]): Promise<Record<string, unknown>> {
  const command = [path.join(project, 'cli', 'launch.mjs'), 'simulate', '--json', '--workers', '1', ...argv];
  const { stdout } = await run(process.execPath, command, { cwd: project });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('mutants', () => {
  it('apply to the sources, each of them with words for what it breaks', async () => {
    const mutants = await readMutants(project);
    expect(mutants.length).toBeGreaterThanOrEqual(20);
    for (const { breaks, sources } of mutants) {
      expect(breaks).toMatch(/^[A-Z][^\n]+\.$/);
      expect([...sources.keys()]).toEqual([expect.stringMatching(/^lambda\//)]);
    }
  });

  it('of both halves are found within a few seeds', async () => {
    const names = [
      'acknowledge-without-tombstone',
      'drain-ends-after-a-page',
      'last-merchant-without-totals',
      'balances-what-is-missing',
    ];
    const { mutants } = await simulate('--most-seeds', '20', '--mutants', ...names);
    expect(mutants).toHaveLength(names.length);
    expect(mutants).not.toContainEqual(expect.objectContaining({ median: null }));
  });
});

describe('a seed', () => {
  it('has one trace, however often it is played', async () => {
    const [once, again] = [await simulate('--seed', '7'), await simulate('--seed', '7')];
    expect(once['hash']).toBe(again['hash']);
    expect(once['failures']).toEqual([]);
  });
});
