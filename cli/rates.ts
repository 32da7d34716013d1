import path from 'node:path';
import * as v from 'valibot';
import { requests } from '../lambda/card-settlement/api.ts';
import {
  addDays,
  businessDateOf,
  type BusinessDate,
} from '../lambda/card-settlement/domain/business-date.ts';
import { datesInNeed, datesWithRates } from './rates/dates.ts';
import type { FxRates } from '../lambda/card-settlement/domain/fx.ts';
import { describeRefusal, withApi, type CallApi } from './shared/api.ts';
import { businessCalendar, daysSince } from './shared/business-day.ts';
import { usageError } from './shared/command-error.ts';
import { businessDate, createDeploymentCommand, defineCommand, repeated } from './shared/command.ts';
import { parseJson, readText } from './shared/files.ts';
import { readShippedFxRates } from './shared/fx-rates.ts';
import { findDeployment, type DeploymentOptions, type Outputs } from './shared/outputs.ts';
import { countOf, print, printable, printError } from './shared/screen.ts';

interface RatesOptions extends DeploymentOptions {
  readonly file?: string;
  readonly date?: readonly BusinessDate[];
}

/** The API takes no rates for older dates. */
const LONGEST_BACK_DAYS = 400;

export const run = defineCommand<RatesOptions>(
  createDeploymentCommand(
    'rates',
    'Loads FX rates for the dates that need them: those that are open or blocked, and have none.\nThe rates are real ones of one day, as a package of npm ships them; rates that stand are left alone.',
  )
    .option('--file <file>', 'other rates: a JSON file of what PUT /fx-rates/{businessDate} takes')
    .option(
      '--date <date>',
      'for this business date, whether it needs them or not; may be repeated',
      repeated(businessDate),
    ),
  async ({ options, context }) => {
    const rates =
      options.file === undefined
        ? await readShippedFxRates()
        : await ratesIn(path.resolve(context.workingFolder, options.file));
    const { outputs } = await findDeployment(options, context);
    return withApi(outputs, 4, async (api) => {
      const call = api.as.operator;
      const dates = options.date ?? (await datesThatNeed(call, outputs));
      const refusals: string[] = [];
      for (const date of dates) {
        const response = await call({ method: 'PUT', path: `/fx-rates/${date}`, body: rates });
        if (response.status >= 300) refusals.push(`${date}: ${describeRefusal(response)}`);
      }
      const loaded = dates.length - refusals.length;
      print(
        dates.length === 0
          ? 'Every date that may need rates has some.'
          : `${countOf(loaded, 'date')} ${loaded === 1 ? 'has' : 'have'} the rates of ${rates.rateDate} now, by ${printable(rates.source)}.`,
      );
      for (const refusal of refusals) printError(refusal);
      return refusals.length === 0 ? 0 : 1;
    });
  },
);

async function datesThatNeed(call: CallApi, outputs: Outputs): Promise<BusinessDate[]> {
  const open = businessDateOf(new Date(), businessCalendar);
  const oldest = addDays(open, -LONGEST_BACK_DAYS);
  const [days, withRates] = [await daysSince(call, oldest), await datesWithRates(outputs, oldest)];
  for (const { businessDate: date, ratesMissing } of days.values()) {
    if (ratesMissing === undefined || !withRates.has(date)) continue;
    const lacked = ratesMissing.length === 0 ? '' : ` (${printable(ratesMissing.join(', '))})`;
    printError(
      `${date} has rates, and lacks some${lacked}: name a file with all that stand and those, with --date ${date}.`,
    );
  }
  return datesInNeed(open, days, withRates);
}

async function ratesIn(file: string): Promise<FxRates> {
  const text = await readText(file);
  if (text === undefined) throw usageError(`${file} cannot be read (ENOENT).`);
  const parsed = v.safeParse(requests.FxRates, parseJson(text));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw usageError(
    `${file} holds no rates: ${[v.getDotPath(issue), issue.message].filter(Boolean).join(' ')}.`,
    'What it takes: {"base": "USD", "source": "our bank", "rateDate": "2026-01-31", "rates": {"EUR": "0.9213"}}',
  );
}
