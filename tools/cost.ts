import { InvalidArgumentError } from 'commander';
import { createCommand, localStageOption, wholeNumber, type Call } from '../cli/shared/command.ts';
import { countOf, printError } from '../cli/shared/screen.ts';
import { stageConfig, type Stage } from '../lib/config.ts';
import type { UsageRecord } from '../local/index.ts';
import { copyToMeasure, standingWorkOf } from './cost/assembly.ts';
import { messagesCost, monthBills, salesCost } from './cost/estimate.ts';
import { createFunctionTimes } from './cost/function-times.ts';
import { playMessages } from './cost/messages.ts';
import { readPrices } from './cost/prices.ts';
import { costText, type CostReport } from './cost/report.ts';
import { playSales, type SalesUsage } from './cost/sales.ts';
import { assemblyOf, defineTool } from './harness/tool.ts';

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
}

export const run = defineTool(
  () =>
    createCommand(
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
      .option('--per-month <sales[,messages]>', 'also the bill of a month with so many of them', perMonth)
      .option('--connections <number>', 'devices online all month', wholeNumber(0, 100_000_000), 100)
      .option('--sales <number>', 'how many to play, on one day', wholeNumber(10, 100_000), 1000)
      .option('--messages <number>', 'how many to play', wholeNumber(10, 10_000), 200)
      .addOption(localStageOption()),
  { measure, report: costText, isGood: () => true },
);

function perMonth(text: string): NonNullable<CostOptions['perMonth']> {
  const [, sales, messages = sales] = /^(\d{1,12})(?:,(\d{1,12}))?$/.exec(text) ?? [];
  if (sales === undefined)
    throw new InvalidArgumentError('It is a number of sales, or of sales and messages: 1000000,5000000.');
  return { sales: Number(sales), messages: Number(messages) };
}

async function measure({ options, context }: Call<CostOptions>): Promise<CostReport> {
  const { stage, messages, textBytes, devices, itemBytes, connections } = options;
  const assembly = await assemblyOf(context.projectFolder, stage);
  const batchSize = options.batchSize ?? stageConfig(stage).settlement.batchSize;
  // Whole batches, as there are when many sales wait.
  const sales = Math.ceil(options.sales / batchSize) * batchSize;
  const played = await play(assembly, { ...options, sales });
  const prices = await readPrices();
  const { stagedItemBytes, ledgerItemBytes, scheduledRun } = played.sales;
  const costs = {
    sales: salesCost(played.sales, sales, prices, itemBytes),
    messages: messagesCost(played.messages, messages, prices),
  };
  const month = options.perMonth && { ...options.perMonth, connections };
  const standing = { ...standingWorkOf(assembly), scheduledRun };
  return {
    prices: { region: prices.region, asOf: prices.asOf },
    sales: {
      played: sales,
      batchSize,
      stagedItemBytes,
      ledgerItemBytes,
      ...(itemBytes !== undefined && { pricedItemBytes: itemBytes }),
      ...costs.sales,
    },
    messages: { played: messages, textBytes, devices, ...costs.messages },
    ...(month && { month: { ...month, dollars: monthBills(month, costs, standing, prices) } }),
    notCounted:
      'logs, metrics and alarms, storage and backups, data transfer, Cognito ($6 a month for each of the two clients, $2.25 per 1,000 of their tokens), initialization of functions',
  };
}

async function play(
  assembly: string,
  options: CostOptions,
): Promise<{ readonly sales: SalesUsage; readonly messages: readonly UsageRecord[] }> {
  const { startOwnHost } = await import('./harness/own-host.ts');
  const { batchSize } = options;
  const copy = await copyToMeasure(assembly, batchSize === undefined ? {} : { batchSize });
  const { onEvent, atMedian } = createFunctionTimes();
  try {
    const host = await startOwnHost({ assembly: copy.folder, onEvent });
    try {
      await host.warm();
      printError(`Playing ${countOf(options.messages, 'message')}…`);
      const messages = atMedian(await playMessages(host, options));
      printError(`Playing a day of ${countOf(options.sales, 'sale')}…`);
      const sales = await playSales(host, options.sales);
      return { messages, sales: { ...sales, day: atMedian(sales.day) } };
    } finally {
      await host.stop();
    }
  } finally {
    await copy.remove();
  }
}
