import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Comparison } from './comparison.ts';
import { frontierOf } from './frontier.ts';
import { RATES, BATCH_SIZES, WINDOWS_SECONDS } from './grid.ts';
import { assumptionsOf, basisOf } from './report.ts';
import { POLLERS } from './rule.ts';

const require = createRequire(import.meta.url);

/** One file that asks for no other: the plots' library and the numbers are in it. */
export async function pageOf(comparison: Comparison): Promise<string> {
  const library = path.dirname(require.resolve('uplot'));
  const parts: readonly (readonly [place: RegExp, part: string])[] = [
    [/\/\* the styles of the plots \*\//, await readFile(path.join(library, 'uPlot.min.css'), 'utf8')],
    [/\/\* the plots \*\//, await readFile(path.join(library, 'uPlot.iife.min.js'), 'utf8')],
    [/(?<=id="comparison">)[^<]*/, numbersOf(comparison)],
  ];
  let page = await readFile(new URL('page.html', import.meta.url), 'utf8');
  for (const [place, part] of parts) page = page.replace(place, () => part);
  return page;
}

const SIGNIFICANT_DIGITS = 4;

/** JSON that ends no script element. */
function numbersOf(comparison: Comparison): string {
  const frontiers = new Set(
    RATES.flatMap((rate) => frontierOf(comparison.settlement.filter(({ perSecond }) => perSecond === rate))),
  );
  const shown = {
    ...comparison,
    settlement: comparison.settlement.map((cell) => ({ ...cell, isOnFrontier: frontiers.has(cell) })),
    rates: RATES,
    windows: WINDOWS_SECONDS,
    sizes: BATCH_SIZES,
    pollers: POLLERS,
    basis: basisOf(comparison),
    assumptions: assumptionsOf(comparison),
  };
  return JSON.stringify(shown, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(SIGNIFICANT_DIGITS)) : value,
  ).replaceAll('<', String.raw`\u003c`);
}
