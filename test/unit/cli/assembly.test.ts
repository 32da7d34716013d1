import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readableError, synthesizeIfChanged } from '../../../cli/shared/assembly.ts';

/** Stands in for the app: says by which context it was called, and counts how often. */
const build = `
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
appendFileSync('calls', 'x');
const context = JSON.parse(process.env.CDK_CONTEXT_JSON);
writeFileSync(path.join(process.env.CDK_OUTDIR, 'manifest.json'), JSON.stringify(context));
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'duotempo-assembly-'));
  for (const name of ['bin', 'lib', 'lambda']) await mkdir(path.join(folder, name));
  await writeFile(path.join(folder, 'bin', 'build.mjs'), build);
  await writeFile(path.join(folder, 'lambda', 'handler.ts'), 'one');
  await writeFile(path.join(folder, 'cdk.json'), '{"context":{"flag":true}}');
});
afterEach(async () => rm(folder, { recursive: true }));

async function synthesize(stage = 'sandbox', signal = new AbortController().signal): Promise<string> {
  return synthesizeIfChanged({ projectFolder: folder, stage, signal, onSynthesize: () => undefined });
}

async function calls(): Promise<number> {
  return (await readFile(path.join(folder, 'calls'), 'utf8').catch(() => '')).length;
}

describe('the synthesized app', () => {
  it('has the context of cdk.json and the stage', async () => {
    const assembly = await synthesize('test');
    const manifest: unknown = JSON.parse(await readFile(path.join(assembly, 'manifest.json'), 'utf8'));
    expect(manifest).toEqual({ flag: true, stage: 'test' });
  });

  it('is kept while the sources are the same, by content', async () => {
    const first = await synthesize();
    await writeFile(path.join(folder, 'lambda', 'handler.ts'), 'one');
    expect(await synthesize()).toBe(first);
    expect(await calls()).toBe(1);
  });

  it('is made anew when a source, its name or the stage changes, and found again when it changes back', async () => {
    const first = await synthesize();
    await writeFile(path.join(folder, 'lambda', 'handler.ts'), 'two');
    const edited = await synthesize();
    await writeFile(path.join(folder, 'lambda', 'other.ts'), '');
    const added = await synthesize();
    const other = await synthesize('test');
    expect(new Set([first, edited, added, other]).size).toBe(4);
    await rm(path.join(folder, 'lambda', 'other.ts'));
    await writeFile(path.join(folder, 'lambda', 'handler.ts'), 'one');
    expect(await synthesize()).toBe(first);
    expect(await calls()).toBe(4);
  });

  it('is whole for each of two starts at once, and nothing unfinished stays', async () => {
    const [one, other] = await Promise.all([synthesize('sandbox'), synthesize('test')]);
    for (const assembly of [one, other]) {
      expect(await readdir(assembly)).toEqual(['manifest.json']);
      expect(await readdir(path.dirname(assembly))).toEqual([path.basename(assembly)]);
    }
  });

  it('that fails shows what the app said, and leaves nothing behind', async () => {
    await writeFile(path.join(folder, 'bin', 'build.mjs'), 'throw new Error("There is no such thing.")');
    await expect(synthesize()).rejects.toMatchObject({
      name: 'CommandError',
      message: expect.stringMatching(
        /^The app cannot be synthesized.*:\n {2}Error: There is no such thing\.$/,
      ),
    });
    expect(await readdir(path.join(folder, '.build', 'assembly', 'sandbox'))).toEqual([]);
  });

  it('is not waited for after an interruption', async () => {
    await writeFile(path.join(folder, 'bin', 'build.mjs'), 'setInterval(() => undefined, 1000)');
    await expect(synthesize('sandbox', AbortSignal.timeout(50))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(await readdir(path.join(folder, '.build', 'assembly', 'sandbox'))).toEqual([]);
  });
});

describe('what a failed synthesis said', () => {
  it('is shown without stack frames and without what Node adds', () => {
    const said = `file:///app/lib/x.ts:12
    throw new Error('no');
          ^

TypeError: no
    at new Stack (file:///app/lib/x.ts:12:11)
    at file:///app/bin/duotempo.ts:5:1

Node.js v20.20.2
`;
    expect(readableError(said)).toBe('  TypeError: no');
  });
});
