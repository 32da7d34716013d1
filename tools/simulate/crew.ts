import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { build, type Plugin } from 'esbuild';
import type { Mutant } from './mutants.ts';
import type { PlayedSeed } from './play-seed.ts';
import type { SeedToPlay } from './worker.ts';

export interface Answer {
  readonly played: PlayedSeed;
  readonly lines: readonly string[];
}

/** Threads that play seeds. */
export interface Crew {
  /** Plays on a thread that is free, at the latest when another one is. */
  readonly play: (seed: SeedToPlay) => Promise<Answer>;
  readonly end: () => Promise<void>;
}

export async function startCrew(projectFolder: string, size: number, mutant?: Mutant): Promise<Crew> {
  const file = await bundleWorker(projectFolder, mutant);
  const workers = Array.from({ length: size }, () => new Worker(file));
  const free = [...workers];
  const waiting: ((worker: Worker) => void)[] = [];

  async function taken(): Promise<Worker> {
    return free.pop() ?? new Promise((resolve) => waiting.push(resolve));
  }

  function giveBack(worker: Worker): void {
    const next = waiting.shift();
    if (next === undefined) free.push(worker);
    else next(worker);
  }

  return {
    play: async (seed) => {
      const worker = await taken();
      try {
        return await answerOf(worker, seed);
      } finally {
        giveBack(worker);
      }
    },
    end: async () => {
      await Promise.all(workers.map(async (worker) => worker.terminate()));
    },
  };
}

async function answerOf(worker: Worker, seed: SeedToPlay): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker.once('message', (answer: Answer) => {
      worker.off('error', reject);
      resolve(answer);
    });
    worker.once('error', reject);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(seed);
  });
}

/** @returns the file; named by its content and renamed when complete, as those of commands are */
async function bundleWorker(projectFolder: string, mutant: Mutant | undefined): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: projectFolder,
    entryPoints: ['tools/simulate/worker.ts'],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    sourcemap: 'inline',
    write: false,
    logLevel: 'silent',
    plugins: mutant === undefined ? [] : [mutated(projectFolder, mutant)],
  });
  const contents = outputFiles[0]?.contents ?? new Uint8Array();
  const folder = path.join(projectFolder, '.build', 'simulate');
  const file = path.join(folder, `${createHash('sha256').update(contents).digest('hex').slice(0, 16)}.mjs`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, contents);
  await rename(unfinished, file);
  return file;
}

function mutated(projectFolder: string, { sources }: Mutant): Plugin {
  return {
    name: 'mutated',
    setup: (building) => {
      building.onLoad({ filter: /[/\\]lambda[/\\].*\.ts$/ }, ({ path: file }) => {
        const contents = sources.get(path.relative(projectFolder, file).replaceAll(path.sep, '/'));
        return contents === undefined ? undefined : { contents, loader: 'ts' };
      });
    },
  };
}
