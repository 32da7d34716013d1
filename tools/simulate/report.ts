import { formatCount } from '../../cli/shared/money.ts';
import { countOf, formatSeconds, type Colors } from '../../cli/shared/screen.ts';
import { plainTable } from '../../cli/shared/table.ts';
import type { Hunt } from './hunt.ts';
import type { PlayedSeed } from './play-seed.ts';
import type { Simulation } from './run.ts';

export function simulationText(simulation: Simulation, colors: Colors): string {
  const { tempos, firstSeed, seeds, workers, seconds, processorSeconds, hash, failures, trace } = simulation;
  const perSeed = processorSeconds / Math.max(1, seeds);
  const lastSeed = firstSeed + seeds - 1;
  return [
    ...trace,
    ...tempos.flatMap(({ tempo, tried, held }) => [
      plainTable([`tried: ${tempo}`, ''], rowsOf(tried)),
      '',
      plainTable(['held', 'checks'], rowsOf(held)),
      '',
    ]),
    `${countOf(seeds, 'seed')} in ${formatSeconds(seconds)} on ${countOf(workers, 'worker')}, ${perSeed.toFixed(2)} s of processor time each: on two quiet cores, 10,000 take ${formatSeconds(5000 * perSeed)}.`,
    `The trace of ${firstSeed === lastSeed ? `seed ${firstSeed}` : `seeds ${firstSeed} to ${lastSeed}`} has the hash ${hash}.`,
    ...(failures.length === 0
      ? [colors.green('Everything held.')]
      : failures.map((failed) => colors.red(failureText(failed)))),
  ].join('\n');
}

function rowsOf(counts: Readonly<Record<string, number>>): [string, string][] {
  return Object.entries(counts)
    .toSorted(([one], [other]) => one.localeCompare(other, 'en'))
    .map(([name, count]) => [name, formatCount(count)]);
}

function failureText({ tempo, seed, failure }: PlayedSeed): string {
  if (failure === undefined) return '';
  return [
    `\nSeed ${seed} fails at tempo ${tempo}: ${failure.says}`,
    `\nThe least that fails, after ${countOf(failure.shrinks, 'step')} of shrinking:`,
    ...failure.script.map((line) => `  ${line}`),
    `\nnpm run simulate -- --tempo ${tempo} --seed ${seed} --path ${failure.path} --trace`,
  ].join('\n');
}

export function isFound({ median }: Hunt['mutants'][number]): boolean {
  return median !== null;
}

export function huntText({ mutants, mostSeeds }: Hunt, colors: Colors): string {
  const rows = mutants.map(({ name, seeds, median, says }) => [
    name,
    says.slice(0, 60),
    seeds.map((count) => count ?? '–').join(' '),
    median ?? colors.red(`> ${mostSeeds}`),
  ]);
  const unfound = mutants.filter((each) => !isFound(each)).length;
  return [
    plainTable(['mutant', 'seen broken', 'seeds', 'median'], rows),
    '',
    unfound === 0
      ? colors.green(`All ${countOf(mutants.length, 'mutant')} are found.`)
      : colors.red(`${countOf(unfound, 'mutant')} of ${mutants.length} not found: a hole in the properties.`),
  ].join('\n');
}
