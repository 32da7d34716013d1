import path from 'node:path';
import { connectToApi, type CardSettlementApi } from './shared/api.ts';
import { businessCalendar } from './shared/business-day.ts';
import {
  createDeploymentCommand,
  jsonOption,
  parseArguments,
  wholeNumber,
  type CommandContext,
} from './shared/command.ts';
import { freeDate, newestPastDate, recallDate } from './demo/date.ts';
import { demoDay, fewestTransactions, type DemoDay } from './demo/day.ts';
import { rowsOf, writeDay } from './demo/files.ts';
import { faultsOf, reportOf, type DemoResult } from './demo/report.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { stopAllProgress } from './shared/progress.ts';
import { describeTally, toJson } from './replay/report.ts';
import { emptyTally, type Failure, type MerchantTally } from './replay/send.ts';
import { stateFile } from './replay/state.ts';
import { postTransactions, putMerchants, settleAll } from './replay/steps.ts';
import { survey } from './replay/survey.ts';
import { colorsFor, countOf, printable, printError } from './shared/screen.ts';
import { loadFxRates, readShippedFxRates } from './shared/fx-rates.ts';

interface DemoOptions extends DeploymentOptions {
  readonly transactions: number;
  readonly seed: number;
  readonly write?: string;
  readonly concurrency: number;
  readonly json?: true;
}

/** So many take well under a minute, half of which is the wait before the day is balanced. */
const defaultTransactions = 600;

/** `npm run demo`: a day of card transactions by chance, with attacks that are labelled, settled and reported. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'demo',
    'Plays a day of card transactions, with attacks among them, through the running system, and settles it.\nThe same seed is the same day: played again, it doubles nothing.',
  )
    .option(
      '--transactions <number>',
      'transactions of the day',
      wholeNumber(fewestTransactions, 100_000),
      defaultTransactions,
    )
    .option('--seed <number>', 'what the day is made from', wholeNumber(0, 999_999_999), 1)
    .option('--write <folder>', 'write the day as files that replay takes, and send nothing')
    .option('--concurrency <number>', 'requests under way at a time', wholeNumber(1, 256), 32)
    .addOption(jsonOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<DemoOptions>();
  const now = new Date();
  const newest = newestPastDate(now, businessCalendar);
  const make = (date: string): DemoDay =>
    demoDay({ seed: options.seed, count: options.transactions, date, calendar: businessCalendar });
  if (options.write !== undefined) return write(make(newest), options.write, context);

  const { file: outputsPath, outputs } = await findDeployment(options, context);
  const api = connectToApi(outputs, options.concurrency);
  process.once('SIGINT', interrupted);
  try {
    const date = await recallDate({
      state: stateFile(outputsPath),
      outputs,
      seed: options.seed,
      count: options.transactions,
      now,
      choose: async () => freeDate(api.as.operator, newest),
    });
    return await play({ api, outputs, day: make(date), newest, options });
  } finally {
    process.off('SIGINT', interrupted);
    api.close();
  }
}

async function write(day: DemoDay, folder: string, context: CommandContext): Promise<number> {
  const files = await writeDay(day, path.resolve(context.workingFolder, folder));
  const name = (file: string): string => path.relative(context.workingFolder, file);
  process.stdout.write(
    `${countOf(day.transactions.length, 'transaction')} and ${countOf(day.merchants.length, 'merchant')} are written. To play them:\n` +
      `npm run replay -- ${name(files.transactions)} --merchants ${name(files.merchants)} --shift-to-today --settle\n`,
  );
  return 0;
}

async function play(work: {
  readonly api: CardSettlementApi;
  readonly outputs: Outputs;
  readonly day: DemoDay;
  readonly newest: string;
  readonly options: DemoOptions;
}): Promise<number> {
  const { api, outputs, day, newest, options } = work;
  const { concurrency, seed } = options;
  const say = options.json ? () => undefined : (text: string) => process.stdout.write(`${text}\n`);
  const currencies = new Set(day.transactions.map(({ currency }) => currency)).size;
  say(
    `The business day ${day.businessDate} by seed ${seed}: ${countOf(day.transactions.length, 'transaction')} at ${countOf(day.merchants.length, 'merchant')} in ${countOf(currencies, 'currency', 'currencies')}`,
  );

  const started = performance.now();
  const merchants: MerchantTally = { sent: 0, failed: 0, failures: [] };
  await putMerchants(api, async () => rowsOf(day.merchants), day.merchants.length, merchants, concurrency);
  // The local host has rates of its own accord.
  if (outputs.DuotempoLocal === undefined)
    await loadFxRates(api.as.operator, await readShippedFxRates(), [day.businessDate]);

  const tally = emptyTally();
  const surveyed = await survey(rowsOf(day.transactions));
  const gifts = new Set<string>();
  const onAccepted = ({ transactionId: id }: { transactionId: string }, transactionId: string): void => {
    if (day.gifts.includes(id)) gifts.add(transactionId);
  };
  const openRows = async (): Promise<ReturnType<typeof rowsOf>> => rowsOf(day.transactions);
  await postTransactions(api, openRows, surveyed, 0, tally, concurrency, onAccepted);
  const seconds = (performance.now() - started) / 1000;
  complain([...merchants.failures, ...tally.failures], merchants.failed + tally.failed);
  say(describeTally(tally, seconds));
  if (tally.staged === 0 && tally.replayed > 0)
    say(`This day was played before: nothing is doubled. --seed ${seed + 1} is another one.`);
  else if (day.businessDate < newest)
    say(`(${newest} is settled already: this is the newest date whose books are open.)`);
  say(
    'Settling: the books of the day are closed, and balanced half a minute later, when nothing can be under way…',
  );

  let giftsHeld = 0;
  const { dates, detection } = await settleAll(api, tally, {
    labelled: true,
    miscount: day.miscounts,
    concurrency,
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
    process.stdout.write(`${toJson(tally, seconds, dates, { ...demo, detection })}\n`);
  } else {
    say(`\n${reportOf(result, colorsFor(process.stdout)).join('\n\n')}\n`);
    const named = options.outputs === undefined ? '' : ` --outputs ${options.outputs}`;
    say(
      `npm run review -- --date ${day.businessDate}${named} shows what is held and why, and releases or rejects it.`,
    );
  }
  const faults = faultsOf(result);
  for (const fault of faults) printError(fault);
  return merchants.failed + tally.failed + faults.length === 0 ? 0 : 1;
}

function complain(failures: readonly Failure[], failed: number): void {
  for (const { reason } of failures) printError(printable(reason));
  const more = failed - failures.length;
  if (more > 0) printError(`and ${countOf(more, 'more request')} failed`);
}

function interrupted(): void {
  stopAllProgress();
  printError('Interrupted. The same command finishes the rest, and sends nothing twice.');
  process.exit(1);
}
