import { InvalidArgumentError } from 'commander';
import { stageConfig, type Stage } from '../lib/config.ts';
import type { UsageRecord } from '../local/index.ts';
import {
  createCommand,
  localStageOption,
  parseArguments,
  wholeNumber,
  type CommandContext,
} from '../cli/shared/command.ts';
import { copyToMeasure, standingWorkOf } from './cost/assembly.ts';
import { createFunctionTimes } from './cost/function-times.ts';
import { messagesCost, monthBills, salesCost, walksAfterBalance } from './cost/estimate.ts';
import { playMessages } from './cost/messages.ts';
import { readPrices } from './cost/prices.ts';
import { billTable, costTable, unitsLine } from './cost/report.ts';
import { playSales, type SalesUsage } from './cost/sales.ts';
import { outputsOf } from '../cli/shared/outputs.ts';
import { countOf } from '../cli/shared/screen.ts';
import { synthesizeIfChanged } from '../cli/shared/assembly.ts';

interface CostOptions {
  readonly stage: Stage;
  readonly sales: number;
  readonly messages: number;
  readonly batchSize?: number;
  readonly itemBytes?: number;
  readonly textBytes: number;
  readonly devices: number;
  readonly perMonth?: { readonly sales: number; readonly messages: number };
  readonly connections: number;
  readonly json?: true;
}

const NOT_COUNTED =
  'logs, metrics and alarms, storage and backups, data transfer, Cognito ($6 a month for each of the two clients, $2.25 per 1,000 of their tokens), initialization of functions';

/** What sales and messages cost on AWS, by units counted while they are played on a local host of its own. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'cost',
    'Plays sales and chat messages on a local host of its own, counts what AWS would bill for, and prices it: dollars\n' +
      'per million sales and messages, by step and service. Takes about a minute.',
  )
    .option(
      '--batch-size <number>',
      'of the settlement queue, instead of the template’s',
      wholeNumber(1, 100),
    )
    .option(
      '--item-bytes <number>',
      'size of a staged sale and its ledger entry, by arithmetic, instead of those played',
      wholeNumber(1, 400_000),
    )
    .option('--text-bytes <number>', 'length of a chat message', wholeNumber(1, 4000), 200)
    .option('--devices <number>', 'of each recipient, all online', wholeNumber(1, 20), 1)
    .option('--per-month <sales[,messages]>', 'also the bill of a month with so many of them', parseMonth)
    .option('--connections <number>', 'devices online all month', wholeNumber(0, 100_000_000), 100)
    .option('--sales <number>', 'how many to play, on one day', wholeNumber(10, 100_000), 1000)
    .option('--messages <number>', 'how many to play', wholeNumber(10, 10_000), 200)
    .addOption(localStageOption())
    .option('--json', 'print the result as JSON');
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<CostOptions>();

  const assembly = await synthesizeIfChanged({
    projectFolder: context.projectFolder,
    stage: options.stage,
    signal: new AbortController().signal,
    onSynthesize: () => say('Synthesizing the app…'),
  });
  const batchSize = options.batchSize ?? stageConfig(options.stage).settlement.batchSize;
  // Whole batches, as there are when many sales wait.
  const sales = Math.ceil(options.sales / batchSize) * batchSize;
  const [played, prices] = [await play(assembly, { ...options, sales }), await readPrices()];
  const costs = {
    sales: salesCost(played.sales, sales, prices, options.itemBytes),
    messages: messagesCost(played.messages, options.messages, prices),
  };
  const month =
    options.perMonth &&
    monthBills(
      { ...options.perMonth, connections: options.connections },
      costs,
      { ...standingWorkOf(assembly), scheduledRun: played.sales.scheduledRun },
      prices,
    );
  const { stagedItemBytes, ledgerItemBytes } = played.sales;

  if (options.json) {
    const result = {
      prices: { region: prices.region, asOf: prices.asOf },
      sales: { played: sales, batchSize, stagedItemBytes, ledgerItemBytes, ...costs.sales },
      messages: {
        played: options.messages,
        textBytes: options.textBytes,
        devices: options.devices,
        ...costs.messages,
      },
      ...(month && { month: { ...options.perMonth, connections: options.connections, dollars: month } }),
      notCounted: NOT_COUNTED,
    };
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    return 0;
  }
  const lines = [
    costTable('$ per million sales', costs.sales),
    `Each sale: ${unitsLine(costs.sales.unitsEach)}.`,
    `Played: ${countOf(sales, 'sale')} on one day, in batches of ${batchSize}; staged ${stagedItemBytes} bytes, in the ledger ${ledgerItemBytes}.` +
      `${options.itemBytes === undefined ? '' : ` Priced as if of ${options.itemBytes} bytes.`} Later walks: ${walksAfterBalance()} in 48 h.`,
    '',
    costTable('$ per million messages', costs.messages),
    `Each message: ${unitsLine(costs.messages.unitsEach)}.`,
    `Played: ${countOf(options.messages, 'message')} of ${countOf(options.textBytes, 'byte')} to ${countOf(options.devices, 'device')} each, all acknowledged.`,
    '',
    ...(month
      ? [
          billTable('$ a month', Object.entries(month)),
          `With ${countOf(options.connections, 'device')} online day and night.`,
          '',
        ]
      : []),
    `List prices of ${prices.region} on ${prices.asOf}, without free tier: tools/cost/prices-us-east-1-2026.json.`,
    'Functions are priced at the median time they took on this machine, whose tables are nearer than those of AWS, and their memory in the template.',
    `Not counted: ${NOT_COUNTED}.`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

async function play(
  assembly: string,
  options: CostOptions,
): Promise<{
  readonly sales: SalesUsage;
  readonly messages: readonly UsageRecord[];
}> {
  const { startLocalHost } = await import('../local/index.ts');
  const copy = await copyToMeasure(assembly, options.batchSize);
  try {
    const { onEvent, atMedian } = createFunctionTimes();
    const host = await startLocalHost({ assembly: copy.folder, port: 0, awsPort: 0, onEvent });
    try {
      const outputs = outputsOf(host);
      await host.warm();
      say(`Playing ${countOf(options.messages, 'message')}…`);
      const messages = atMedian(await playMessages(host, outputs, options));
      say(`Playing a day of ${countOf(options.sales, 'sale')}…`);
      const sales = await playSales(host, outputs, options.sales);
      return { messages, sales: { ...sales, day: atMedian(sales.day) } };
    } finally {
      await host.stop();
    }
  } finally {
    await copy.remove();
  }
}

function parseMonth(text: string): NonNullable<CostOptions['perMonth']> {
  const [, sales, messages = sales] = /^(\d{1,12})(?:,(\d{1,12}))?$/.exec(text) ?? [];
  if (sales === undefined)
    throw new InvalidArgumentError('It is a number of sales, or of sales and messages: 1000000,5000000.');
  return { sales: Number(sales), messages: Number(messages) };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
