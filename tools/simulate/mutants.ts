import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TempoName } from './play-seed.ts';

/** A small break of a guarantee's code. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, in words. */
  readonly breaks: string;
  /** File, relative to the project → its source with the break in it. */
  readonly sources: ReadonlyMap<string, string>;
  readonly tempo: TempoName;
}

const FOLDER = 'test/mutants';

/** @throws Error if a patch does not apply */
export async function readMutants(projectFolder: string): Promise<Mutant[]> {
  const folder = path.join(projectFolder, FOLDER);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.patch')).toSorted();
  return Promise.all(files.map(async (file) => readMutant(projectFolder, path.join(folder, file))));
}

async function readMutant(projectFolder: string, file: string): Promise<Mutant> {
  const name = path.basename(file, '.patch');
  const [breaks = '', ...patches] = (await readFile(file, 'utf8')).split(/^--- .*\n/m);
  const sources = new Map<string, string>();
  for (const patch of patches) {
    const [, target = ''] = /^\+\+\+ b\/(\S+)\n/.exec(patch) ?? [];
    const source = await readFile(path.join(projectFolder, target), 'utf8');
    sources.set(target, patched(source, patch, name));
  }
  const isChat = [...sources.keys()].every((target) => target.startsWith('lambda/chat/'));
  return { name, breaks: breaks.trim(), sources, tempo: isChat ? 'async' : 'batch' };
}

/** Finds each hunk by its lines alone: their numbers move with every change of the source. */
function patched(source: string, patch: string, name: string): string {
  let result = source;
  for (const hunk of patch.split(/^@@.*@@.*\n/m).slice(1)) {
    const lines = hunk.replace(/\n$/, '').split('\n');
    const side = (sign: string): string =>
      lines
        .filter((line) => line[0] === ' ' || line[0] === sign)
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const parts = result.split(side('-'));
    if (parts.length !== 2)
      throw new Error(
        `The mutant ${name} does not fit: its lines are in the source ${parts.length - 1} times.`,
      );
    result = parts.join(side('+'));
  }
  return result;
}
