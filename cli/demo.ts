import path from 'node:path';
import { addDays, businessDateOf } from '../lambda/card-settlement/domain/business-date.ts';
import { freeDate, recallDate } from './demo/date.ts';
import { demoDay, fewestTransactions, type DemoDay } from './demo/day.ts';
import { rowsOf, writeDay } from './demo/files.ts';
import { faultsOf, reportOf, type DemoResult } from './demo/report.ts';
import { describeTally, toJson } from './replay/report.ts';
import { survey } from './replay/rows.ts';
import { emptyTally } from './replay/send.ts';
import { stateFile } from './replay/shift.ts';
import { complain, playing, postTransactions, putMerchants, settleAll, type Player } from './replay/steps.ts';
import { businessCalendar } from './shared/business-day.ts';
import {
  createDeploymentCommand,
  defineCommand,
  jsonOption,
  wholeNumber,
  type CommandContext,
} from './shared/command.ts';
import { loadFxRates, readShippedFxRates } from './shared/fx-rates.ts';
import { findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { colorsFor, countOf, print, printError } from './shared/screen.ts';

interface DemoOptions extends DeploymentOptions {
  readonly transactions: number;
  readonly seed: number;
  readonly write?: string;
  readonly concurrency: number;
  readonly json?: true;
}

/** Well under a minute, half of it the wait before the day is balanced. */
const DEFAULT_TRANSACTIONS = 600;

export const run = defineCommand<DemoOptions>(
  createDeploymentCommand(
    'demo',
    'Plays a day of card transactions, with attacks among them, through the running system, and settles it.\nThe same seed is the same day: played again, it doubles nothing.',
  )
    .option(
      '--transactions <number>',
      'transactions of the day',
      wholeNumber(fewestTransactions, 100_000),
      DEFAULT_TRANSACTIONS,
    )
    .option('--seed <number>', 'what the day is made from', wholeNumber(0, 999_999_999), 1)
    .option('--write <folder>', 'write the day as files that replay takes, and send nothing')
    .option('--concurrency <number>', 'requests under way at a time', wholeNumber(1, 256), 32)
    .addOption(jsonOption()),
  async ({ options, context }) => {
    const { seed, transactions: count } = options;
    const now = new Date();
    const newest = addDays(businessDateOf(now, businessCalendar), -1);
    const make = (date: string): DemoDay => demoDay({ seed, count, date, calendar: businessCalendar });
    if (options.write !== undefined) return write(make(newest), options.write, context);

    const { file, outputs } = await findDeployment(options, context);
    return playing(outputs, options.concurrency, async (player) => {
      const choose = async () => freeDate(player.api.as.operator, newest);
      const date = await recallDate({ state: stateFile(file), outputs, seed, count, now, choose });
      // The local host loads its rates itself.
      if (outputs.DuotempoLocal === undefined)
        await loadFxRates(player.api.as.operator, await readShippedFxRates(), [date]);
      return play(player, make(date), newest, options);
    });
  },
);

async function write(day: DemoDay, folder: string, { workingFolder }: CommandContext): Promise<number> {
  const files = await writeDay(day, path.resolve(workingFolder, folder));
  const name = (file: string): string => path.relative(workingFolder, file);
  print(
    `${countOf(day.transactions.length, 'transaction')} and ${countOf(day.merchants.length, 'merchant')} are written. To play them:\n` +
      `npm run replay -- ${name(files.transactions)} --merchants ${name(files.merchants)} --shift-to-today --settle`,
  );
  return 0;
}

async function play(player: Player, day: DemoDay, newest: string, options: DemoOptions): Promise<number> {
  const { seed } = options;
  const say = options.json ? () => undefined : print;
  const currencies = new Set(day.transactions.map(({ currency }) => currency)).size;
  say(
    `The business day ${day.businessDate} by seed ${seed}: ${countOf(day.transactions.length, 'transaction')} at ${countOf(day.merchants.length, 'merchant')} in ${countOf(currencies, 'currency', 'currencies')}`,
  );

  const started = performance.now();
  const merchants = await putMerchants(player, rowsOf(day.merchants), day.merchants.length);
  const tally = emptyTally();
  const surveyed = await survey(rowsOf(day.transactions));
  const gifts = new Set<string>();
  await postTransactions(player, surveyed, {
    rows: rowsOf(day.transactions),
    days: 0,
    tally,
    onAccepted: (row, transactionId) => {
      if (day.gifts.includes(row.transactionId)) gifts.add(transactionId);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  for (const each of [merchants, tally]) complain(each, 'request', () => '');
  say(describeTally(tally, seconds));
  if (tally.staged === 0 && tally.replayed > 0)
    say(`This day was played before: nothing is doubled. --seed ${seed + 1} is another one.`);
  else if (day.businessDate < newest)
    say(`(${newest} is settled already: this is the newest date whose books are open.)`);
  say(
    'Settling: the books of the day are closed, and balanced half a minute later, when nothing can be under way…',
  );

  let giftsHeld = 0;
  const { dates, detection } = await settleAll(player, tally, {
    labelled: true,
    miscount: day.miscounts,
    onVerdict: ({ transactionId, status }) => {
      if (status === 'held' && gifts.has(transactionId)) giftsHeld += 1;
    },
  });
  const result: DemoResult = {
    dates,
    detection,
    miscounts: day.miscounts,
    terminals: surveyed.terminals,
    gifts: { transactions: gifts.size, held: giftsHeld },
  };
  if (options.json) {
    const demo = { seed, businessDate: day.businessDate, gifts: result.gifts };
    print(toJson(tally, seconds, dates, { ...demo, detection }));
  } else {
    const named = options.outputs === undefined ? '' : ` --outputs ${options.outputs}`;
    print(`\n${reportOf(result, colorsFor(process.stdout)).join('\n\n')}\n`);
    print(
      `npm run review -- --date ${day.businessDate}${named} shows what is held and why, and releases or rejects it.`,
    );
  }
  const faults = faultsOf(result);
  for (const fault of faults) printError(fault);
  return merchants.failed + tally.failed + faults.length === 0 ? 0 : 1;
}
