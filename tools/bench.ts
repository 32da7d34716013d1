import { createCommand, wholeNumber, type Call } from '../cli/shared/command.ts';
import { countOf, printError } from '../cli/shared/screen.ts';
import { measureBundles, versionOf } from './bench/bundles.ts';
import { chatFigures, measureChat } from './bench/chat-load.ts';
import { measureIntake } from './bench/intake.ts';
import { compareReconcile } from './bench/reconcile.ts';
import { measureStartUp } from './bench/start-up.ts';
import { allMet, figuresTable, type Figure } from './harness/figures.ts';
import { withHost } from './harness/running-host.ts';
import { assemblyOf, defineTool } from './harness/tool.ts';

interface BenchOptions {
  readonly node: string;
  readonly requests: number;
  readonly rounds: number;
  readonly small: number;
  readonly large: number;
}

const CHAT = { perSecond: 50, seconds: 15 };

export const run = defineTool(
  () =>
    createCommand(
      'bench',
      'Measures the whole app on this machine, on local hosts of its own. Machines differ and are busy: compare ratios.',
    )
      .option('--node <file>', 'Node.js to import the bundles with: Lambda runs version 24', process.execPath)
      .option('--requests <number>', 'sales per round of intake', wholeNumber(100, 100_000), 2000)
      .option('--rounds <number>', 'rounds of intake and of raw writes in turn', wholeNumber(1, 50), 5)
      .option(
        '--small <number>',
        'transactions of the smaller day to reconcile',
        wholeNumber(100, 1_000_000),
        10_000,
      )
      .option('--large <number>', 'transactions of the larger one', wholeNumber(100, 1_000_000), 100_000),
  { measure, report: figuresTable, isGood: allMet },
);

async function measure({ options, context }: Call<BenchOptions>): Promise<readonly Figure[]> {
  const { node, requests, rounds, small, large } = options;
  const { projectFolder } = context;
  await versionOf(node);
  printError('Starting a copy that was never started, and starting it again…');
  const startUp = await measureStartUp(projectFolder);
  const assembly = await assemblyOf(projectFolder, 'sandbox');
  printError(`Intake of ${countOf(requests * rounds, 'sale')}, and as many raw writes; settling the sales…`);
  const intake = await withHost(projectFolder, async (host) => measureIntake(host, { requests, rounds }));
  printError(`Chat, ${CHAT.perSecond} messages a second…`);
  const chat = await withHost(projectFolder, async ({ outputs }) => measureChat({ outputs, ...CHAT }));
  printError(`Reconciling days of ${small} and ${countOf(large, 'transaction')}…`);
  const reconcile = await compareReconcile({ projectFolder, assembly, node }, { small, large });
  printError('Importing every bundle in fresh processes…');
  const bundles = await measureBundles(assembly, node);
  return [...startUp, ...intake, ...chatFigures(chat), ...reconcile, ...bundles];
}
