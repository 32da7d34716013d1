import { Option } from 'commander';
import { usageError } from '../cli/shared/command-error.ts';
import { createCommand, wholeNumber, type Call } from '../cli/shared/command.ts';
import { defineTool } from './harness/tool.ts';
import { hunt, type Hunt } from './simulate/hunt.ts';
import type { TempoName } from './simulate/play-seed.ts';
import { huntText, isFound, simulationText } from './simulate/report.ts';
import { defaultWorkers, simulate, type Simulation } from './simulate/run.ts';

interface SimulateOptions {
  readonly seeds?: number;
  readonly minutes?: number;
  readonly seed?: number;
  readonly path?: string;
  readonly trace?: boolean;
  readonly tempo: TempoName | 'both';
  readonly workers: number;
  readonly mutants?: true | readonly string[];
  readonly mostSeeds: number;
}

const SEEDS = 100;

export const run = defineTool<SimulateOptions, Simulation | Hunt>(
  () =>
    createCommand(
      'simulate',
      'Plays seeded days and chats on the real use cases in simulated time, while messages are lost, doubled, late and\n' +
        'out of order, and calls fail and functions die. Exits with 1 if a guarantee breaks, and prints the least that breaks it.',
    )
      .option(
        '--seeds <number>',
        `how many (default: ${SEEDS}, or 1 with --seed)`,
        wholeNumber(1, 999_999_999),
      )
      .option('--minutes <number>', 'instead: as many as there is time for', wholeNumber(1, 10_000))
      .option('--seed <number>', 'the first (default: 1)', wholeNumber(0, 999_999_999))
      .option('--path <path>', 'of a failure, as it was printed: plays what its seed was shrunk to')
      .option('--trace', 'also print all that happens, in simulated time')
      .addOption(
        new Option('--tempo <tempo>', 'card settlement or chat')
          .choices(['batch', 'async', 'both'])
          .default('both'),
      )
      .option('--workers <number>', 'threads that play', wholeNumber(1, 256), defaultWorkers)
      .option('--mutants [name...]', 'instead: how many seeds find each small break of test/mutants')
      .option('--most-seeds <number>', 'for each mutant', wholeNumber(1, 100_000), 200),
  {
    measure,
    report: (result, colors) =>
      'mutants' in result ? huntText(result, colors) : simulationText(result, colors),
    isGood,
  },
);

async function measure({ options, context }: Call<SimulateOptions>): Promise<Simulation | Hunt> {
  const { seed, minutes, tempo, workers, path, mutants, mostSeeds } = options;
  if (mutants !== undefined) {
    const names = mutants === true ? [] : mutants;
    return hunt(context.projectFolder, { names, mostSeeds, workers });
  }
  if (path !== undefined && (seed === undefined || tempo === 'both'))
    throw usageError('--path needs the --seed and the --tempo that were printed with it.');
  return simulate(context.projectFolder, {
    tempos: tempo === 'both' ? ['batch', 'async'] : [tempo],
    firstSeed: seed ?? 1,
    seeds: options.seeds ?? (minutes !== undefined ? Infinity : seed === undefined ? SEEDS : 1),
    minutes,
    workers,
    path,
    traces: options.trace === true,
  });
}

function isGood(result: Simulation | Hunt): boolean {
  return 'mutants' in result ? result.mutants.every(isFound) : result.failures.length === 0;
}
