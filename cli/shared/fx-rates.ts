import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import currencyCodes from 'currency-codes';
import * as v from 'valibot';
import { addDays, type BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import type { FxRates } from '../../lambda/card-settlement/domain/fx.ts';
import { describeRefusal, type CallApi } from './api.ts';
import { CommandError } from './command-error.ts';

const RATES_PACKAGE = '@fawazahmed0/currency-api';

/** The open business date included; more than a transaction may be old. */
const DATE_COUNT = 36;

const ratesFileSchema = v.object({
  date: v.pipe(v.string(), v.isoDate()),
  usd: v.record(v.string(), v.pipe(v.number(), v.gtValue(0))),
});

export async function readShippedFxRates(): Promise<FxRates> {
  const file = createRequire(import.meta.url).resolve(`${RATES_PACKAGE}/v1/currencies/usd.json`);
  return fxRatesOf(JSON.parse(await readFile(file, 'utf8')));
}

export function fxRatesOf(content: unknown): FxRates {
  const { date, usd } = v.parse(ratesFileSchema, content);
  const rates: Record<string, string> = {};
  for (const currency of currencyCodes.codes()) {
    const rate = usd[currency.toLowerCase()];
    if (rate !== undefined && currency !== 'USD') rates[currency] = plainDecimal(rate);
  }
  return { base: 'USD', source: RATES_PACKAGE, rateDate: date, rates };
}

const decimal = new Intl.NumberFormat('en-US', { useGrouping: false, maximumFractionDigits: 20 });

export function plainDecimal(value: number): string {
  return decimal.format(value);
}

export function datesForRates(open: BusinessDate): BusinessDate[] {
  return Array.from({ length: DATE_COUNT }, (_, age) => addDays(open, -age));
}

/** Leaves dates whose rates are frozen. @returns how many dates got the rates */
export async function loadFxRates(
  call: CallApi,
  rates: FxRates,
  dates: readonly BusinessDate[],
): Promise<number> {
  const answers = await Promise.all(
    dates.map(async (date) => call({ method: 'PUT', path: `/fx-rates/${date}`, body: rates })),
  );
  const refused = answers.find(({ status }) => status >= 300 && status !== 409);
  if (refused !== undefined)
    throw new CommandError(`The FX rates were refused: ${describeRefusal(refused)}.`);
  return answers.filter(({ status }) => status < 300).length;
}
