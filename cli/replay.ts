import path from 'node:path';
import { type CardSettlementApi, connectToApi } from './api.ts';
import { CommandError } from './command-error.ts';
import {
  type CommandContext,
  createCommand,
  outputsFile,
  parseArguments,
  wholeNumber,
} from './command-line.ts';
import { type Outputs, readOutputs } from './outputs.ts';
import { hashFile, openTextFile, readCsv } from './replay/csv.ts';
import { showProgress, showSettleProgress, stopAllProgress } from './replay/progress.ts';
import { describeTally, settlementTable, toJson } from './replay/report.ts';
import { merchantColumns, transactionColumns } from './replay/rows.ts';
import {
  emptyTally,
  type Failure,
  type MerchantTally,
  type ReplayTally,
  sendMerchants,
  sendTransactions,
} from './replay/send.ts';
import { type DateResult, settleDate } from './replay/settle.ts';
import { daysToShift } from './replay/shift.ts';
import { recallShift, stateFile } from './replay/state.ts';
import { survey, type Survey } from './replay/survey.ts';
import { colorsFor, countOf, printable } from './screen.ts';
import { businessCalendar } from './business-calendar.ts';

interface ReplayOptions {
  readonly merchants?: string;
  readonly shiftToToday?: true;
  readonly settle?: true;
  readonly concurrency: number;
  readonly json?: true;
  readonly outputs?: string;
}

/** A file named on the command line. */
interface NamedFile {
  readonly path: string;
  /** As the user typed it. */
  readonly name: string;
}

/** `npm run replay -- <transactions.csv>`: plays a file of card transactions through the API as the gateway would. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'replay',
    'Plays a file of card transactions through the API, as the gateway would.',
  )
    .argument('<transactions.csv>', `file with the columns ${transactionColumns.join(', ')}`)
    .option('--merchants <file>', 'put the merchants of this CSV file first')
    .option(
      '--shift-to-today',
      'move all dates by whole days, so that the last one is the newest past its cut-off',
    )
    .option('--settle', 'reconcile every date afterwards, and wait until it is balanced')
    .option('--concurrency <number>', 'requests under way at a time', wholeNumber(1, 256), 32)
    .option('--json', 'print the result as JSON and nothing else')
    .option('--outputs <file>', 'outputs of the deployment (default: outputs.json of the project)');
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<ReplayOptions>();
  const named = (name: string): NamedFile => ({ name, path: path.resolve(context.workingFolder, name) });
  const file = named(command.args[0] ?? '');
  const merchantsFile = options.merchants === undefined ? undefined : named(options.merchants);

  // All that can be wrong with the call is found before anything is sent.
  const surveyed = await survey(await rowsOf(file, transactionColumns));
  if (surveyed.rows === 0) throw new CommandError(`${file.name} holds no transactions.`);
  const merchantCount = merchantsFile === undefined ? 0 : await countRows(merchantsFile);
  const outputsPath = outputsFile(options.outputs, context);
  const outputs = await readOutputs(outputsPath);

  const days =
    options.shiftToToday === undefined
      ? 0
      : await chooseShift(file, surveyed, outputs, stateFile(outputsPath));
  const api = connectToApi(outputs, options.concurrency);
  process.once('SIGINT', interrupted);
  try {
    return await replay({ api, file, surveyed, days, merchantsFile, merchantCount, options });
  } finally {
    process.off('SIGINT', interrupted);
    api.close();
  }
}

function interrupted(): void {
  stopAllProgress();
  process.stderr.write('Interrupted. The same command finishes the rest, and sends nothing twice.\n');
  process.exit(1);
}

async function replay(work: {
  readonly api: CardSettlementApi;
  readonly file: NamedFile;
  readonly surveyed: Survey;
  readonly days: number;
  readonly merchantsFile: NamedFile | undefined;
  readonly merchantCount: number;
  readonly options: ReplayOptions;
}): Promise<number> {
  const { api, file, surveyed, days, merchantsFile, merchantCount, options } = work;
  const say = options.json ? () => undefined : (text: string) => process.stdout.write(`${text}\n`);
  const started = performance.now();

  const merchants: MerchantTally = { sent: 0, failed: 0, failures: [] };
  if (merchantsFile !== undefined) {
    await putMerchants(api, merchantsFile, merchantCount, merchants, options.concurrency);
    complain(merchantsFile, merchants.failed, merchants.failures);
    say(`${countOf(merchants.sent, 'merchant')} put`);
  }

  const tally = emptyTally();
  await postTransactions(api, file, surveyed, days, tally, options.concurrency);
  const seconds = (performance.now() - started) / 1000;
  complain(file, tally.failed - tally.tooOld, tally.failures);
  complainOfAge(tally, options.shiftToToday === true);
  const moved = days === 0 ? '' : `, moved by ${countOf(days, 'day')}`;
  say(`${describeTally(tally, seconds)}${moved}`);

  const dates = options.settle ? await settle(api, tally) : [];
  if (options.json) process.stdout.write(`${toJson(tally, seconds, dates)}\n`);
  else if (dates.length > 0) say(`\n${settlementTable(dates, colorsFor(process.stdout))}`);
  for (const { businessDate, fault } of dates) {
    if (fault !== undefined) process.stderr.write(`${businessDate}: ${fault}\n`);
  }
  const allWell =
    tally.failed === 0 && merchants.failed === 0 && dates.every(({ fault }) => fault === undefined);
  return allWell ? 0 : 1;
}

async function rowsOf(file: NamedFile, columns: readonly string[]): Promise<ReturnType<typeof readCsv>> {
  return readCsv(await openTextFile(file.path, file.name), file.name, columns);
}

async function countRows(file: NamedFile): Promise<number> {
  let count = 0;
  for await (const row of await rowsOf(file, merchantColumns)) count += row.line > 0 ? 1 : 0;
  return count;
}

async function chooseShift(
  file: NamedFile,
  { last }: Survey,
  outputs: Outputs,
  state: string,
): Promise<number> {
  // Without an instant there is nothing to move, and every row is going to be reported.
  if (last === undefined) return 0;
  const now = new Date();
  const choose = (): number => daysToShift(last, now, businessCalendar);
  return (await recallShift({ state, outputs, file: await hashFile(file.path), now, choose })).days;
}

async function putMerchants(
  api: CardSettlementApi,
  file: NamedFile,
  count: number,
  tally: MerchantTally,
  concurrency: number,
): Promise<void> {
  const progress = showProgress('merchants', count);
  const timer = setInterval(() => progress.update(tally.sent + tally.failed, tally.failed), 200);
  try {
    const rows = await rowsOf(file, merchantColumns);
    await sendMerchants({ rows, call: api.as.operator, concurrency, tally });
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

async function postTransactions(
  api: CardSettlementApi,
  file: NamedFile,
  { rows: count, originals }: Survey,
  days: number,
  tally: ReplayTally,
  concurrency: number,
): Promise<void> {
  const progress = showProgress('transactions', count);
  const timer = setInterval(() => {
    progress.update(tally.staged + tally.replayed + tally.failed, tally.failed);
  }, 200);
  try {
    const rows = await rowsOf(file, transactionColumns);
    await sendTransactions({ rows, originals, days, call: api.as.gateway, concurrency, tally });
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

/** Dates are independent of each other, and the slowest part of each is a wait: all at once. */
async function settle(api: CardSettlementApi, tally: ReplayTally): Promise<DateResult[]> {
  const progress = showSettleProgress();
  const byDate = [...tally.acceptedByDate].toSorted(([one], [other]) => one.localeCompare(other));
  try {
    return await Promise.all(
      byDate.map(async ([date, accepted]) =>
        settleDate({ call: api.as.operator, date, accepted, onPoll: progress.update }),
      ),
    );
  } finally {
    progress.stop();
  }
}

function complain(file: NamedFile, failed: number, failures: readonly Failure[]): void {
  const inOrder = failures.toSorted((one, other) => one.line - other.line);
  for (const { line, reason } of inOrder)
    process.stderr.write(`${file.name} line ${line}: ${printable(reason)}\n`);
  const more = failed - failures.length;
  if (more > 0) process.stderr.write(`and ${countOf(more, 'more row')} failed\n`);
}

function complainOfAge({ tooOld }: ReplayTally, shifted: boolean): void {
  if (tooOld === 0) return;
  const what = `${countOf(tooOld, 'row')} ${tooOld === 1 ? 'is' : 'are'} too old for the API to accept.`;
  const advice = shifted
    ? 'The file was moved by --shift-to-today already: it spans more days than the API accepts, or was first replayed too long ago (its shift is remembered in the .replays.json beside the outputs).'
    : 'Replay with --shift-to-today to move all dates, so that the last one is the newest business date.';
  process.stderr.write(`${what} ${advice}\n`);
}
