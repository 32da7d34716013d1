import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { requests } from '../lambda/card-settlement/api.ts';
import {
  addDays,
  businessDateOf,
  isCalendarDate,
  type BusinessDate,
} from '../lambda/card-settlement/domain/business-date.ts';
import { connectToApi, describeRefusal, type CallApi } from './shared/api.ts';
import { businessCalendar } from './shared/business-day.ts';
import { CommandError, errorCode } from './shared/command-error.ts';
import { createDeploymentCommand, parseArguments, type CommandContext } from './shared/command.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { parseJson } from './shared/files.ts';
import { datesInNeed, datesWithRates, daysOf } from './rates/dates.ts';
import { countOf, printable, printError } from './shared/screen.ts';
import { datesForRates, readShippedFxRates, type FxRates } from './shared/fx-rates.ts';

interface RatesOptions extends DeploymentOptions {
  readonly file?: string;
  readonly date?: readonly BusinessDate[];
}

/** A day that waits may be older than any that is still open: rates are taken for so many days back. */
const longestBackDays = 400;

/** `npm run rates`: FX rates for the dates that need them, or for those that are named. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'rates',
    'Loads FX rates for the dates that need them: those that are open or blocked, and have none.\nThe rates are real ones of one day, as a package of npm ships them; rates that stand are left alone.',
  )
    .option('--file <file>', 'other rates: a JSON file of what PUT /fx-rates/{businessDate} takes')
    .option(
      '--date <date>',
      'for this business date, whether it needs them or not; may be repeated',
      datesIn,
    );
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<RatesOptions>();
  const rates =
    options.file === undefined
      ? await readShippedFxRates()
      : await ratesOf(path.resolve(context.workingFolder, options.file));

  const { outputs } = await findDeployment(options, context);
  const api = connectToApi(outputs, 4);
  try {
    const call = api.as.operator;
    const dates = options.date ?? (await datesThatNeed(call, outputs));
    const refusals = await put(call, rates, dates);
    const loaded = dates.length - refusals.size;
    say(
      dates.length === 0
        ? 'Every date that may need rates has some.'
        : `${countOf(loaded, 'date')} ${loaded === 1 ? 'has' : 'have'} the rates of ${rates.rateDate} now, by ${printable(rates.source)}.`,
    );
    for (const [date, why] of refusals) printError(`${date}: ${why}`);
    return refusals.size === 0 ? 0 : 1;
  } finally {
    api.close();
  }
}

async function datesThatNeed(call: CallApi, outputs: Outputs): Promise<BusinessDate[]> {
  const open = businessDateOf(new Date(), businessCalendar);
  const all = [...datesForRates(open), addDays(open, -longestBackDays)];
  const [days, withRates] = [await daysOf(call, all), await datesWithRates(outputs, all)];
  for (const { businessDate, ratesMissing } of days.values()) {
    if (ratesMissing === undefined || !withRates.has(businessDate)) continue;
    const lacked = ratesMissing.length === 0 ? '' : ` (${printable(ratesMissing.join(', '))})`;
    process.stderr.write(
      `${businessDate} has rates, and lacks some${lacked}: name a file with all that stand and those, with --date ${businessDate}.\n`,
    );
  }
  return datesInNeed(open, days, withRates);
}

/** @returns why, by the date that did not get them */
async function put(
  call: CallApi,
  rates: FxRates,
  dates: readonly BusinessDate[],
): Promise<ReadonlyMap<BusinessDate, string>> {
  const refusals = new Map<BusinessDate, string>();
  for (const date of dates) {
    const response = await call({ method: 'PUT', path: `/fx-rates/${date}`, body: rates });
    if (response.status >= 300) refusals.set(date, describeRefusal(response));
  }
  return refusals;
}

async function ratesOf(file: string): Promise<FxRates> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`${file} cannot be read (${errorCode(error) ?? 'unknown error'}).`, {
      exitCode: 2,
      cause: error,
    });
  });
  const parsed = v.safeParse(requests.FxRates, parseJson(text));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new CommandError(
    `${file} holds no rates: ${[v.getDotPath(issue), issue.message].filter(Boolean).join(' ')}.`,
    {
      hint: 'What it takes: {"base": "USD", "source": "our bank", "rateDate": "2026-01-31", "rates": {"EUR": "0.9213"}}',
      exitCode: 2,
    },
  );
}

function datesIn(text: string, earlier: readonly BusinessDate[] | undefined): readonly BusinessDate[] {
  if (isCalendarDate(text)) return [...(earlier ?? []), text];
  throw new InvalidArgumentError('It is a date such as 2026-01-31.');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
