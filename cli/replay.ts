import path from 'node:path';
import { breakFaults, noteOnOthers } from './replay/breaks.ts';
import { hashFile, openTextFile, readCsv } from './replay/csv.ts';
import { dateFaults, describeTally, reportParts, toJson } from './replay/report.ts';
import { merchantColumns, survey, transactionColumns, type Survey } from './replay/rows.ts';
import { emptyTally, type ReplayTally } from './replay/send.ts';
import { daysToShift, recallShift, stateFile } from './replay/shift.ts';
import { complain, playing, postTransactions, putMerchants, settleAll, type Player } from './replay/steps.ts';
import { businessCalendar } from './shared/business-day.ts';
import { CommandError, usageError } from './shared/command-error.ts';
import { createDeploymentCommand, defineCommand, jsonOption, wholeNumber } from './shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { colorsFor, countOf, print, printable, printError } from './shared/screen.ts';

interface ReplayOptions extends DeploymentOptions {
  readonly merchants?: string;
  readonly shiftToToday?: true;
  readonly settle?: true;
  readonly miscount?: string;
  readonly concurrency: number;
  readonly json?: true;
}

interface NamedFile {
  readonly path: string;
  readonly name: string;
}

export const run = defineCommand<ReplayOptions>(
  createDeploymentCommand(
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
    .addOption(jsonOption()),
  async ({ options, args: [fileName = ''], context }) => {
    const named = (name: string): NamedFile => ({ name, path: path.resolve(context.workingFolder, name) });
    const file = named(fileName);
    const merchantsFile = options.merchants === undefined ? undefined : named(options.merchants);

    // Find whatever is wrong with the call before sending anything.
    const surveyed = await survey(await rowsOf(file, transactionColumns));
    checkCall(file, surveyed, options);
    const merchantCount = merchantsFile === undefined ? 0 : await countRows(merchantsFile);
    const { file: outputsPath, outputs } = await findDeployment(options, context);
    const days = options.shiftToToday ? await chooseShift(file, surveyed, outputs, outputsPath) : 0;
    return playing(outputs, options.concurrency, async (player) =>
      replay(player, { file, surveyed, days, merchantsFile, merchantCount, options }),
    );
  },
);

function checkCall(file: NamedFile, { rows, terminals }: Survey, { miscount, settle }: ReplayOptions): void {
  if (rows === 0) throw new CommandError(`${file.name} holds no transactions.`);
  if (miscount === undefined) return;
  if (!settle) throw usageError('--miscount needs --settle: that is when totals are reported.');
  if (terminals.has(miscount)) return;
  throw usageError(
    `${file.name} has no transaction of a terminal ${printable(miscount)}.`,
    'A row without a terminal_id is of the terminal <merchant_id>-1.',
  );
}

async function replay(
  player: Player,
  work: {
    readonly file: NamedFile;
    readonly surveyed: Survey;
    readonly days: number;
    readonly merchantsFile: NamedFile | undefined;
    readonly merchantCount: number;
    readonly options: ReplayOptions;
  },
): Promise<number> {
  const { file, surveyed, days, merchantsFile, merchantCount, options } = work;
  const { miscount, json } = options;
  const say = json ? () => undefined : print;
  const started = performance.now();

  let failed = 0;
  if (merchantsFile !== undefined) {
    const merchants = await putMerchants(player, await rowsOf(merchantsFile, merchantColumns), merchantCount);
    complain(merchants, 'row', (line) => `${merchantsFile.name} line ${line}: `);
    say(`${countOf(merchants.sent, 'merchant')} put`);
    failed = merchants.failed;
  }

  const tally = emptyTally();
  const rows = await rowsOf(file, transactionColumns);
  await postTransactions(player, surveyed, { rows, days, tally });
  const seconds = (performance.now() - started) / 1000;
  const { failures } = tally;
  complain({ failed: tally.failed - tally.tooOld, failures }, 'row', (line) => `${file.name} line ${line}: `);
  complainOfAge(tally, options.shiftToToday === true);
  const moved = days === 0 ? '' : `, moved by ${countOf(days, 'day')}`;
  say(`${describeTally(tally, seconds)}${moved}`);

  const { dates, detection } = options.settle
    ? await settleAll(player, tally, { labelled: surveyed.labelled, miscount })
    : { dates: [], detection: undefined };
  if (json) print(toJson(tally, seconds, dates, { detection }));
  else if (dates.length > 0)
    for (const part of reportParts(dates, detection, colorsFor(process.stdout))) print(`\n${part}`);
  const note = noteOnOthers(dates, surveyed.terminals);
  if (note !== undefined) say(note);
  const faults = [...dateFaults(dates), ...breakFaults(dates, surveyed.terminals, miscount)];
  for (const fault of faults) printError(fault);
  return failed + tally.failed + faults.length === 0 ? 0 : 1;
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
  outputsPath: string,
): Promise<number> {
  // Without an instant there is nothing to move, and every row fails anyway.
  if (last === undefined) return 0;
  const now = new Date();
  return recallShift({
    state: stateFile(outputsPath),
    outputs,
    file: await hashFile(file.path),
    now,
    choose: () => daysToShift(last, now, businessCalendar),
  });
}

function complainOfAge({ tooOld }: ReplayTally, shifted: boolean): void {
  if (tooOld === 0) return;
  const what = `${countOf(tooOld, 'row')} ${tooOld === 1 ? 'is' : 'are'} too old for the API to accept.`;
  const advice = shifted
    ? 'The file was moved by --shift-to-today already: it spans more days than the API accepts, or was first replayed too long ago (its shift is remembered in the .replays.json beside the outputs).'
    : 'Replay with --shift-to-today to move all dates, so that the last one is the newest business date.';
  printError(`${what} ${advice}`);
}
