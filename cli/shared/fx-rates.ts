import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import currencyCodes from 'currency-codes';
import * as v from 'valibot';
import { addDays, type BusinessDate } from '../../lambda/card-settlement/domain/business-date.ts';
import { describeRefusal, type CallApi } from './api.ts';
import { CommandError } from './command-error.ts';

/** The package that the rates come from; it ships them as JSON, one file per base currency. */
const ratesPackage = '@fawazahmed0/currency-api';

/** How many business dates get rates, the open one included: as far back as a transaction may lie, and some more. */
const dateCount = 36;

/** The body of `PUT /fx-rates/{businessDate}`. */
export interface FxRates {
  readonly base: string;
  readonly source: string;
  /** The date that the rates were published for. */
  readonly rateDate: string;
  /** One unit of the base is worth this much: ISO 4217 code → plain decimal text. */
  readonly rates: Readonly<Record<string, string>>;
}

const ratesFileSchema = v.object({
  date: v.pipe(v.string(), v.isoDate()),
  usd: v.record(v.string(), v.pipe(v.number(), v.gtValue(0))),
});

/** Reads the rates that the package ships, of the currencies that ISO 4217 knows. */
export async function readShippedFxRates(): Promise<FxRates> {
  const file = createRequire(import.meta.url).resolve(`${ratesPackage}/v1/currencies/usd.json`);
  return fxRatesOf(JSON.parse(await readFile(file, 'utf8')));
}

/** @param content of the package's `usd.json` */
export function fxRatesOf(content: unknown): FxRates {
  const { date, usd } = v.parse(ratesFileSchema, content);
  const rates: Record<string, string> = {};
  for (const currency of currencyCodes.codes()) {
    const rate = usd[currency.toLowerCase()];
    if (rate !== undefined && currency !== 'USD') rates[currency] = plainDecimal(rate);
  }
  return { base: 'USD', source: ratesPackage, rateDate: date, rates };
}

/** A number as decimal text without an exponent: `1e-7` is `0.0000001`. */
export function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(?<whole>\d+)(?:\.(?<fraction>\d+))?e(?<exponent>[+-]\d+)$/.exec(text);
  if (match?.groups === undefined) return text;
  const { whole = '', fraction = '', exponent = '0' } = match.groups;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return digits.padEnd(point, '0');
}

/** The business dates that get rates, the open one first. */
export function datesForRates(open: BusinessDate): BusinessDate[] {
  return Array.from({ length: dateCount }, (_, age) => addDays(open, -age));
}

/**
 * Puts the rates for every date that has none yet: the API refuses to change frozen ones with 409, which is well.
 *
 * @returns how many dates got them
 */
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
