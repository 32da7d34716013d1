import { parentPort } from 'node:worker_threads';
import { playSeed, type PlayOptions, type TempoName } from './play-seed.ts';

/** One thread that plays the seeds it is given, one after another. */

export interface SeedToPlay extends Pick<PlayOptions, 'path' | 'shrinks'> {
  readonly tempo: TempoName;
  readonly seed: number;
  readonly traces?: boolean;
}

async function play({ tempo, seed, traces, ...options }: SeedToPlay): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const played = await playSeed(tempo, seed, { ...options, ...(traces === true ? { onLine } : {}) });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ played, lines });
}

parentPort?.on('message', (seed: SeedToPlay) => void play(seed));
