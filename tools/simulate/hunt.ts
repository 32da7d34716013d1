import { printError } from '../../cli/shared/screen.ts';
import { startCrew, type Crew } from './crew.ts';
import { readMutants, type Mutant } from './mutants.ts';

export interface Hunted {
  readonly name: string;
  readonly breaks: string;
  /** How many seeds it took, from several first ones; null where none found it. */
  readonly seeds: readonly (number | null)[];
  readonly median: number | null;
  /** The guarantee that is seen broken, or the error. */
  readonly says: string;
}

export interface Hunt {
  readonly mutants: readonly Hunted[];
  readonly mostSeeds: number;
}

export interface HuntOptions {
  /** All if there are none. */
  readonly names: readonly string[];
  readonly mostSeeds: number;
  readonly workers: number;
}

const FIRST_SEEDS = [1, 100_001, 200_001, 300_001, 400_001];

/** Tells how many seeds it takes to find each break. */
export async function hunt(projectFolder: string, { names, mostSeeds, workers }: HuntOptions): Promise<Hunt> {
  const mutants: Hunted[] = [];
  for (const mutant of await readMutants(projectFolder)) {
    if (names.length > 0 && !names.includes(mutant.name)) continue;
    const crew = await startCrew(projectFolder, workers, mutant);
    try {
      const hunted = await huntOne(crew, mutant, mostSeeds);
      printError(`${hunted.name}: ${hunted.seeds.map((count) => count ?? 'not found').join(', ')}`);
      mutants.push(hunted);
    } finally {
      await crew.end();
    }
  }
  return { mutants, mostSeeds };
}

async function huntOne(crew: Crew, { name, breaks, tempo }: Mutant, mostSeeds: number): Promise<Hunted> {
  let says = '';
  const seeds = await Promise.all(
    FIRST_SEEDS.map(async (firstSeed) => {
      for (let count = 1; count <= mostSeeds; count++) {
        const { played } = await crew.play({ tempo, seed: firstSeed + count - 1, shrinks: false });
        if (played.failure === undefined) continue;
        says ||= played.failure.says.split('\n')[0] ?? '';
        return count;
      }
      return null;
    }),
  );
  const sorted = seeds.toSorted((one, other) => (one ?? Infinity) - (other ?? Infinity));
  return { name, breaks, seeds, median: sorted[Math.floor(sorted.length / 2)] ?? null, says };
}
