import * as fc from 'fast-check';
import { async } from './chat/async.ts';
import { createLog, type Logged } from './log.ts';
import { batch } from './settlement/batch.ts';
import type { Tempo } from './tempo.ts';

export const tempoNames = ['batch', 'async'] as const;
export type TempoName = (typeof tempoNames)[number];

export interface Failure {
  readonly says: string;
  /** The least that fails, a line for each thing that happens. */
  readonly script: readonly string[];
  /** Repeats it, with the seed. */
  readonly path: string;
  readonly shrinks: number;
}

export interface PlayedSeed extends Logged {
  readonly tempo: TempoName;
  readonly seed: number;
  readonly failure?: Failure;
}

export interface PlayOptions {
  /** Of a failure, as it was printed. */
  readonly path?: string;
  readonly shrinks?: boolean;
  readonly onLine?: (line: string) => void;
}

const SHRINK_MILLISECONDS = 60_000;

/** One scenario; if it fails, ever smaller ones. */
export async function playSeed(
  tempo: TempoName,
  seed: number,
  options: PlayOptions = {},
): Promise<PlayedSeed> {
  return tempo === 'batch' ? playOf(batch, tempo, seed, options) : playOf(async, tempo, seed, options);
}

async function playOf<Scenario>(
  { scenarios, play, tell }: Tempo<Scenario>,
  tempo: TempoName,
  seed: number,
  { path, shrinks = true, onLine }: PlayOptions,
): Promise<PlayedSeed> {
  const first = createLog(onLine);
  let isFirst = true;
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const log = isFirst ? first : createLog();
    isFirst = false;
    await play(scenario, log);
  });
  const result = await fc.check(property, {
    seed,
    numRuns: 1,
    ...(path === undefined ? {} : { path }),
    endOnFailure: path !== undefined || !shrinks,
    interruptAfterTimeLimit: SHRINK_MILLISECONDS,
  });
  const logged = { tempo, seed, ...first.end() };
  const { counterexample, counterexamplePath, errorInstance, numShrinks } = result;
  if (!result.failed || counterexample === null) return logged;
  const [scenario] = counterexample;
  const failure = {
    says: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
    script: tell(scenario),
    path: counterexamplePath ?? '0',
    shrinks: numShrinks,
  };
  return { ...logged, failure };
}
