import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { showProgress } from '../../cli/shared/progress.ts';
import { startCrew, type Answer, type Crew } from './crew.ts';
import type { PlayedSeed, TempoName } from './play-seed.ts';

export interface SimulationOptions {
  readonly tempos: readonly TempoName[];
  readonly firstSeed: number;
  /** Infinity until time is up. */
  readonly seeds: number;
  readonly minutes?: number | undefined;
  readonly workers: number;
  readonly path?: string | undefined;
  readonly traces: boolean;
}

type Counts = Readonly<Record<string, number>>;

export interface Simulation {
  readonly tempos: readonly {
    readonly tempo: TempoName;
    readonly seeds: number;
    readonly tried: Counts;
    /** Guarantee → how often it was checked, and held. */
    readonly held: Counts;
  }[];
  readonly firstSeed: number;
  readonly seeds: number;
  readonly workers: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  /** Of the traces of all seeds, in their order. */
  readonly hash: string;
  readonly failures: readonly PlayedSeed[];
  readonly trace: readonly string[];
}

export const defaultWorkers = availableParallelism();

/** Plays seeds until one fails, or all are played, or time is up. */
export async function simulate(projectFolder: string, options: SimulationOptions): Promise<Simulation> {
  const { firstSeed, workers, traces } = options;
  const crew = await startCrew(projectFolder, workers);
  const [startedAt, startedWith] = [performance.now(), process.cpuUsage()];
  try {
    const answers = await playAll(crew, options);
    const { user, system } = process.cpuUsage(startedWith);
    const played = answers.map((answer) => answer.played);
    const hash = createHash('sha256');
    for (const each of played) hash.update(`${each.seed} ${each.tempo} ${each.hash}\n`);
    return {
      tempos: options.tempos.map((tempo) =>
        summaryOf(
          tempo,
          played.filter((each) => each.tempo === tempo),
        ),
      ),
      firstSeed,
      seeds: new Set(played.map(({ seed }) => seed)).size,
      workers,
      seconds: (performance.now() - startedAt) / 1000,
      processorSeconds: (user + system) / 1e6,
      hash: hash.digest('hex').slice(0, 16),
      failures: played.filter(({ failure }) => failure !== undefined),
      trace: traces ? answers.flatMap(({ lines }) => lines) : [],
    };
  } finally {
    await crew.end();
  }
}

/** @returns by seed and tempo */
async function playAll(crew: Crew, options: SimulationOptions): Promise<Answer[]> {
  const { tempos, firstSeed, seeds, minutes = Infinity, workers, path, traces } = options;
  const endsAt = performance.now() + minutes * 60_000;
  const answers: Answer[] = [];
  const progress = showProgress('seeds', Number.isFinite(seeds) ? seeds : 0);
  let next = firstSeed;
  let failed = 0;
  const playOn = async (): Promise<void> => {
    while (failed === 0 && next < firstSeed + seeds && performance.now() < endsAt) {
      const seed = next++;
      for (const tempo of tempos) {
        const answer = await crew.play({ tempo, seed, traces, ...(path === undefined ? {} : { path }) });
        answers.push(answer);
        if (answer.played.failure !== undefined) failed += 1;
      }
      progress.update(Math.floor(answers.length / tempos.length), failed);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, playOn));
  } finally {
    progress.stop();
  }
  return answers.toSorted(
    ({ played: one }, { played: other }) =>
      one.seed - other.seed || tempos.indexOf(one.tempo) - tempos.indexOf(other.tempo),
  );
}

function summaryOf(tempo: TempoName, played: readonly PlayedSeed[]) {
  return {
    tempo,
    seeds: played.length,
    tried: sumOf(played.map(({ tried }) => tried)),
    held: sumOf(played.map(({ held }) => held)),
  };
}

function sumOf(all: readonly Counts[]): Counts {
  const sums: Record<string, number> = {};
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
