import path from 'node:path';
import { connectToApi, type CardSettlementApi } from './shared/api.ts';
import { CommandError } from './shared/command-error.ts';
import {
  createDeploymentCommand,
  jsonOption,
  parseArguments,
  wholeNumber,
  type CommandContext,
} from './shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { breakFaults, noteOnOthers } from './replay/breaks.ts';
import { hashFile, openTextFile, readCsv } from './replay/csv.ts';
import type { Detection } from './replay/detection.ts';
import { stopAllProgress } from './shared/progress.ts';
import { breakLines, describeTally, detectionTable, settlementTable, toJson } from './replay/report.ts';
import { merchantColumns, transactionColumns } from './replay/rows.ts';
import { emptyTally, type Failure, type MerchantTally, type ReplayTally } from './replay/send.ts';
import type { DateResult } from './replay/settle.ts';
import { daysToShift } from './replay/shift.ts';
import { recallShift, stateFile } from './replay/state.ts';
import { postTransactions, putMerchants, settleAll, type OpenRows } from './replay/steps.ts';
import { survey, type Survey } from './replay/survey.ts';
import { colorsFor, countOf, printable, printError } from './shared/screen.ts';
import { businessCalendar } from './shared/business-day.ts';

interface ReplayOptions extends DeploymentOptions {
  readonly merchants?: string;
  readonly shiftToToday?: true;
  readonly settle?: true;
  readonly miscount?: string;
  readonly concurrency: number;
  readonly json?: true;
}

/** A file named on the command line. */
interface NamedFile {
  readonly path: string;
  /** As the user typed it. */
  readonly name: string;
}

/** `npm run replay -- <transactions.csv>`: plays a file of card transactions through the API as the gateway would. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'replay',
    'Plays a file of card transactions through the API, as the gateway would.',
  )
    .argument('<transactions.csv>', `file with the columns ${transactionColumns.join(', ')}`)
    .option('--merchants <file>', 'put the merchants of this CSV file first')
    .option(
      '--shift-to-today',
      'move all dates by whole days, so that the last one is the newest past its cut-off',
    )
    .option(
      '--settle',
      'report the totals of the terminals, reconcile every date, and wait until it is balanced;\nwhere the file has a column is_fraud, compare it with the verdicts',
    )
    .option('--miscount <terminalId>', 'report wrong totals of this terminal, to see a break (with --settle)')
    .option('--concurrency <number>', 'requests under way at a time', wholeNumber(1, 256), 32)
    .addOption(jsonOption());
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<ReplayOptions>();
  const named = (name: string): NamedFile => ({ name, path: path.resolve(context.workingFolder, name) });
  const file = named(command.args[0] ?? '');
  const merchantsFile = options.merchants === undefined ? undefined : named(options.merchants);

  // All that can be wrong with the call is found before anything is sent.
  const surveyed = await survey(await rowsOf(file, transactionColumns));
  if (surveyed.rows === 0) throw new CommandError(`${file.name} holds no transactions.`);
  const { miscount } = options;
  if (miscount !== undefined && !options.settle) {
    throw new CommandError('--miscount needs --settle: that is when totals are reported.', { exitCode: 2 });
  }
  if (miscount !== undefined && !surveyed.terminals.has(miscount)) {
    throw new CommandError(`${file.name} has no transaction of a terminal ${printable(miscount)}.`, {
      hint: 'A row without a terminal_id is of the terminal <merchant_id>-1.',
      exitCode: 2,
    });
  }
  const merchantCount = merchantsFile === undefined ? 0 : await countRows(merchantsFile);
  const { file: outputsPath, outputs } = await findDeployment(options, context);

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
  printError('Interrupted. The same command finishes the rest, and sends nothing twice.');
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
    const rows: OpenRows = async () => rowsOf(merchantsFile, merchantColumns);
    await putMerchants(api, rows, merchantCount, merchants, options.concurrency);
    complain(merchantsFile, merchants.failed, merchants.failures);
    say(`${countOf(merchants.sent, 'merchant')} put`);
  }

  const tally = emptyTally();
  const rows: OpenRows = async () => rowsOf(file, transactionColumns);
  await postTransactions(api, rows, surveyed, days, tally, options.concurrency);
  const seconds = (performance.now() - started) / 1000;
  complain(file, tally.failed - tally.tooOld, tally.failures);
  complainOfAge(tally, options.shiftToToday === true);
  const moved = days === 0 ? '' : `, moved by ${countOf(days, 'day')}`;
  say(`${describeTally(tally, seconds)}${moved}`);

  const { concurrency, miscount } = options;
  const { dates, detection } = options.settle
    ? await settleAll(api, tally, { labelled: surveyed.labelled, miscount, concurrency })
    : { dates: [], detection: undefined };
  if (options.json) process.stdout.write(`${toJson(tally, seconds, dates, { detection })}\n`);
  else for (const part of reportOf(dates, detection)) say(`\n${part}`);
  const note = noteOnOthers(dates, surveyed.terminals);
  if (note !== undefined) say(note);
  const faults = [
    ...dates.flatMap(({ businessDate, fault }) => (fault === undefined ? [] : `${businessDate}: ${fault}`)),
    ...breakFaults(dates, surveyed.terminals, miscount),
  ];
  for (const fault of faults) printError(fault);
  return tally.failed + merchants.failed + faults.length === 0 ? 0 : 1;
}

function reportOf(dates: readonly DateResult[], detection: Detection | undefined): string[] {
  if (dates.length === 0) return [];
  const breaks = breakLines(dates);
  return [
    settlementTable(dates, colorsFor(process.stdout)),
    ...(breaks.length === 0 ? [] : [['breaks', ...breaks].join('\n')]),
    ...(detection === undefined ? [] : [detectionTable(detection)]),
  ];
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
  return recallShift({ state, outputs, file: await hashFile(file.path), now, choose });
}

function complain(file: NamedFile, failed: number, failures: readonly Failure[]): void {
  const inOrder = failures.toSorted((one, other) => one.line - other.line);
  for (const { line, reason } of inOrder) printError(`${file.name} line ${line}: ${printable(reason)}`);
  const more = failed - failures.length;
  if (more > 0) printError(`and ${countOf(more, 'more row')} failed`);
}

function complainOfAge({ tooOld }: ReplayTally, shifted: boolean): void {
  if (tooOld === 0) return;
  const what = `${countOf(tooOld, 'row')} ${tooOld === 1 ? 'is' : 'are'} too old for the API to accept.`;
  const advice = shifted
    ? 'The file was moved by --shift-to-today already: it spans more days than the API accepts, or was first replayed too long ago (its shift is remembered in the .replays.json beside the outputs).'
    : 'Replay with --shift-to-today to move all dates, so that the last one is the newest business date.';
  printError(`${what} ${advice}`);
}
