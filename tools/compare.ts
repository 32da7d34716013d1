import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import { createCommand, wholeNumber, type Call } from '../cli/shared/command.ts';
import { writeAtomically } from '../cli/shared/files.ts';
import { printError } from '../cli/shared/screen.ts';
import type { HostEvent } from '../local/index.ts';
import { checkModel, type CheckedCell } from './compare/check.ts';
import { compare, type Comparison, type Measured } from './compare/comparison.ts';
import { RATES } from './compare/grid.ts';
import { measureChat } from './compare/measure-chat.ts';
import { measureSettlement } from './compare/measure-settlement.ts';
import { pageOf } from './compare/page.ts';
import { writePictures } from './compare/pictures.ts';
import { checkText, comparisonText, type View } from './compare/report.ts';
import { copyToMeasure } from './cost/assembly.ts';
import { readPrices } from './cost/prices.ts';
import { assemblyOf, defineTool } from './harness/tool.ts';

interface CompareOptions {
  readonly rate: number;
  readonly everySetting?: true;
  readonly withoutHops?: true;
  readonly exactWindow?: true;
  readonly seed: number;
  readonly page: string;
  readonly pictures?: string;
  readonly check?: number;
}

type Result =
  | (Comparison & { readonly kind: 'comparison'; readonly view: View; readonly page: string })
  | { readonly kind: 'check'; readonly seed: number; readonly cells: readonly CheckedCell[] };

/** `npm run compare`: what a batch saves and what it makes wait, for every batch size, window and rate. */
export const run = defineTool<CompareOptions, Result>(
  () =>
    createCommand(
      'compare',
      'Runs the real handlers on batches of each size, plays AWS’s pollers for every batch size, window and rate, and says\nwhat each setting costs and how long messages wait. Takes a minute or two.',
    )
      .option('--rate <messages per second>', `to show: ${RATES.join(', ')}`, rate, 10)
      .option('--every-setting', 'shows those too that another one beats')
      .option('--without-hops', 'leaves out what AWS’s own hop from SQS to Lambda takes')
      .option('--exact-window', 'long polls end when the window does, instead of lasting 20 s')
      .option('--seed <number>', 'of arrivals and pollers', wholeNumber(0, 999_999_999), 1)
      .option('--page <file>', 'to write the plots to', 'compare.html')
      .option('--pictures <folder>', 'to write two pictures of the plots to, as SVG')
      .option(
        '--check <cells>',
        'instead: holds the model against a local host, in so many cells and in real time',
        wholeNumber(1, 50),
      ),
  {
    measure,
    report: (result, colors) =>
      result.kind === 'check'
        ? checkText(result.cells, colors)
        : `${comparisonText(result, result.view, colors)}\n\nPlots: ${result.page}`,
    isGood: (result) => result.kind === 'comparison' || result.cells.every(({ isWithin }) => isWithin),
  },
);

function rate(text: string): number {
  const found = RATES.find((each) => String(each) === text);
  if (found === undefined) throw new InvalidArgumentError(`It is one of ${RATES.join(', ')}.`);
  return found;
}

async function measure({ options, context }: Call<CompareOptions>): Promise<Result> {
  const assembly = await assemblyOf(context.projectFolder, 'sandbox');
  const { check, seed } = options;
  if (check !== undefined)
    return { kind: 'check', seed, cells: await checkModel(assembly, { count: check, seed }) };
  const prices = await readPrices();
  const measured = await measureHandlers(assembly);
  printError('Playing every setting at every rate…');
  const comparison = compare(measured, prices, {
    seed,
    withHops: options.withoutHops !== true,
    exactWindow: options.exactWindow === true,
  });
  const page = path.resolve(context.workingFolder, options.page);
  await writeAtomically(page, await pageOf(comparison));
  if (options.pictures !== undefined)
    await writePictures(comparison, path.resolve(context.workingFolder, options.pictures));
  return {
    kind: 'comparison',
    ...comparison,
    page,
    view: { perSecond: options.rate, everySetting: options.everySetting === true },
  };
}

async function measureHandlers(assembly: string): Promise<Measured> {
  const { startOwnHost } = await import('./harness/own-host.ts');
  const copy = await copyToMeasure(assembly, { isEnabled: false });
  const events: HostEvent[] = [];
  try {
    const host = await startOwnHost({ assembly: copy.folder, onEvent: (event) => void events.push(event) });
    try {
      await host.warm();
      printError('Delivering chat messages…');
      const chat = await measureChat(host, events);
      printError('Settling batches of each size…');
      return { chat, settlement: await measureSettlement(host, copy.folder) };
    } finally {
      await host.stop();
    }
  } finally {
    await copy.remove();
  }
}
