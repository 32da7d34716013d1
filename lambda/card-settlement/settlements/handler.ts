import * as v from 'valibot';
import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { notFoundProblem, Problem } from '../../shared/problem.ts';
import { environmentNames, FactId } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { sortKeyOf } from '../domain/identifiers.ts';
import { settlementFile } from '../domain/settlement-file.ts';
import { createMerchantTotals, type LedgerSummary, type MerchantTotals } from '../domain/totals.ts';
import { Identifier } from '../domain/transaction.ts';
import { businessDateIn, identifierIn, knownQuery, pageBody, pageIn, type PageRequest } from '../requests.ts';
import { entryBody, merchantTotalsBody } from '../responses.ts';
import { readDay } from '../store/business-days.ts';
import { entriesOfDate, ledgerOfDate, type LedgerRange, type WrittenEntry } from '../store/ledger.ts';
import { merchantTotalsOf } from '../store/merchant-totals.ts';

interface Services {
  readonly now: () => Date;
  readonly readDay: (businessDate: BusinessDate) => Promise<BusinessDay | undefined>;
  /** What was written down when the day was balanced. */
  readonly finalTotals: (
    day: BusinessDay,
    after: string | undefined,
    pageItems: number,
  ) => AsyncIterable<readonly MerchantTotals[]>;
  readonly ledger: (businessDate: BusinessDate, range: LedgerRange) => AsyncIterable<LedgerSummary>;
  readonly entries: (
    businessDate: BusinessDate,
    range: LedgerRange,
    limit: number,
  ) => AsyncIterable<WrittenEntry>;
}

/** A settlement file must fit Lambda's response of 6 MB: at most 125 characters a line. */
const FILE_LINES_LIMIT = 45_000;

const Currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/));
const IntegerText = v.pipe(v.string(), v.regex(/^-?\d{1,30}$/));

/** Sorts after every key that begins with an identifier and `#`, and before every longer identifier. */
const AFTER_KEYS = '$';

/** Entries that one answer reads of a day that is not balanced: some 5 s of a small function. */
const EXAMINED_LIMIT = 100_000;
/** Currencies of one merchant that fit a cursor. */
const CARRIED_LIMIT = 50;

/** Currency, count, gross and fees of a merchant that is being added up. */
const CarriedTotals = v.strictTuple([
  Currency,
  v.pipe(v.number(), v.safeInteger()),
  IntegerText,
  IntegerText,
]);

/**
 * Where a page of totals begins: after those of a merchant and currency; or among the entries of a merchant, with what
 * the pages before have added up of it.
 */
const TotalsCursor = v.strictObject({
  merchantId: Identifier,
  currency: v.exactOptional(Currency),
  reached: v.exactOptional(
    v.strictObject({
      transactionId: FactId,
      totals: v.pipe(v.array(CarriedTotals), v.maxLength(CARRIED_LIMIT)),
    }),
  ),
});
type TotalsCursor = v.InferOutput<typeof TotalsCursor>;

/** Some of a day's totals; without `next`, they are the last. */
interface TotalsPart {
  readonly totals: readonly MerchantTotals[];
  readonly next?: TotalsCursor;
}

/** `GET /settlements/{businessDate}`, as JSON or `text/csv`, and `…/merchants/{merchantId}`: its entries. */
export async function getSettlement(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  if (request.path['merchantId'] !== undefined) return listEntries(request, businessDate, services);
  const page = wantsFile(request.headers['accept']) ? undefined : pageIn(request, TotalsCursor);
  if (page === undefined) knownQuery(request, []);
  const day = await services.readDay(businessDate);
  if (day === undefined) throw notFoundProblem('settlement');
  return page === undefined ? file(day, services) : listTotals(page, day, services);
}

async function listTotals(
  { limit, cursor }: PageRequest<TotalsCursor>,
  day: BusinessDay,
  services: Services,
): Promise<HttpResponse> {
  const { totals, next } = await readTotals(day, cursor, services, limit);
  return {
    status: 200,
    body: {
      businessDate: day.businessDate,
      final: isFinal(day),
      ...pageBody(totals.map(merchantTotalsBody), next),
    },
  };
}

async function file(day: BusinessDay, services: Services): Promise<HttpResponse> {
  const { totals, next } = await readTotals(day, undefined, services, FILE_LINES_LIMIT);
  if (next !== undefined) {
    throw new Problem(422, 'settlement-file-too-long', 'The settlement file is too long for one answer', {
      detail: isFinal(day)
        ? `It would have more than ${FILE_LINES_LIMIT} detail lines. Read the settlement as JSON, page by page.`
        : 'Before the day is balanced each request adds it up again. Read the settlement as JSON, page by page, or ask again when the day is balanced.',
    });
  }
  const asOf = isFinal(day) ? (day.balancedAt ?? '') : services.now().toISOString();
  return {
    status: 200,
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="settlement-${day.businessDate}.csv"`,
    },
    body: settlementFile({ businessDate: day.businessDate, final: isFinal(day), asOf }, totals),
  };
}

/** A day's totals by merchant and currency: as written down when it was balanced, before that as the ledger stands. */
async function readTotals(
  day: BusinessDay,
  cursor: TotalsCursor | undefined,
  services: Services,
  limit: number,
): Promise<TotalsPart> {
  return isFinal(day)
    ? readFinalTotals(day, cursor, services, limit)
    : addUpTotals(day.businessDate, cursor, services, limit);
}

async function readFinalTotals(
  day: BusinessDay,
  cursor: TotalsCursor | undefined,
  services: Services,
  limit: number,
): Promise<TotalsPart> {
  // A cursor may have been given before the day was balanced, in the middle of a merchant.
  const after = cursor === undefined ? undefined : `${cursor.merchantId}#${cursor.currency ?? ''}`;
  const found: MerchantTotals[] = [];
  for await (const page of services.finalTotals(day, after, Math.min(limit + 1, 500))) {
    found.push(...page);
    if (found.length > limit) break;
  }
  return firstOf(found, limit);
}

/** Adds up what the ledger says, merchant by merchant, of at most so many entries. */
async function addUpTotals(
  businessDate: BusinessDate,
  cursor: TotalsCursor | undefined,
  services: Services,
  limit: number,
): Promise<TotalsPart> {
  const isWanted = ({ merchantId, currency }: MerchantTotals): boolean =>
    merchantId !== cursor?.merchantId || currency > (cursor.currency ?? '');
  const merchants = createMerchantTotals(carriedTotals(cursor));
  const found: MerchantTotals[] = [];
  let examined = 0;
  for await (const entry of services.ledger(businessDate, rangeAfter(cursor))) {
    found.push(...merchants.add(entry).filter(isWanted));
    if (found.length > limit) return firstOf(found, limit);
    if (++examined < EXAMINED_LIMIT) continue;
    const { merchantId, transactionId } = entry;
    const begun = merchants.end();
    if (begun.length > CARRIED_LIMIT) throw tooManyCurrenciesProblem(merchantId);
    const given = cursor?.merchantId === merchantId ? cursor.currency : undefined;
    const reached = { transactionId, totals: begun.map(carried) };
    return {
      totals: found,
      next: { merchantId, ...(given === undefined ? {} : { currency: given }), reached },
    };
  }
  found.push(...merchants.end().filter(isWanted));
  return firstOf(found, limit);
}

function firstOf(found: readonly MerchantTotals[], limit: number): TotalsPart {
  const totals = found.slice(0, limit);
  const last = totals.at(-1);
  if (found.length <= limit || last === undefined) return { totals };
  return { totals, next: { merchantId: last.merchantId, currency: last.currency } };
}

function carried({ currency, count, gross, fees }: MerchantTotals): v.InferOutput<typeof CarriedTotals> {
  return [currency, count, String(gross), String(fees)];
}

function carriedTotals(cursor: TotalsCursor | undefined): MerchantTotals[] {
  return (cursor?.reached?.totals ?? []).map(([currency, count, gross, fees]) => ({
    merchantId: cursor?.merchantId ?? '',
    currency,
    count,
    gross: BigInt(gross),
    fees: BigInt(fees),
    net: BigInt(gross) - BigInt(fees),
  }));
}

function rangeAfter(cursor: TotalsCursor | undefined): LedgerRange {
  if (cursor === undefined) return undefined;
  const { merchantId, reached } = cursor;
  return { after: reached === undefined ? `${merchantId}#` : sortKeyOf(merchantId, reached.transactionId) };
}

function tooManyCurrenciesProblem(merchantId: string): Problem {
  return new Problem(422, 'settlement-too-long', 'The settlement is too long to be added up', {
    detail: `Merchant ${merchantId} has too many transactions in too many currencies. Ask again when the day is balanced.`,
  });
}

async function listEntries(
  request: HttpRequest,
  businessDate: BusinessDate,
  services: Services,
): Promise<HttpResponse> {
  const merchantId = identifierIn(request, 'merchantId');
  const { limit, cursor } = pageIn(request, FactId);
  if ((await services.readDay(businessDate)) === undefined) throw notFoundProblem('settlement');
  const end = `${merchantId}${AFTER_KEYS}`;
  // What follows a key directly is the key with the least character behind it.
  const from = cursor === undefined ? `${merchantId}#` : `${sortKeyOf(merchantId, cursor)}\u0001`;
  const found: WrittenEntry[] = [];
  for await (const entry of services.entries(businessDate, { from, to: end }, limit + 1)) {
    found.push(entry);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const next = found.length > limit ? items.at(-1)?.transactionId : undefined;
  return { status: 200, body: { businessDate, merchantId, ...pageBody(items.map(entryBody), next) } };
}

function isFinal(day: BusinessDay): boolean {
  return day.balancedAt !== undefined;
}

/** JSON unless the caller prefers the file: the first of the two that `Accept` names. */
function wantsFile(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((type) => type.split(';', 1)[0]?.trim().toLowerCase());
  return (
    types.find((type) => type === 'text/csv' || type === 'application/json' || type === '*/*') === 'text/csv'
  );
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const daysTable = environmentVariable(environmentNames.businessDaysTable);
  const ledgerTable = environmentVariable(environmentNames.ledgerTable);
  return {
    now: systemClock,
    readDay: (businessDate) => readDay(client, daysTable, businessDate),
    finalTotals: (day, after, pageItems) => merchantTotalsOf(client, daysTable, day, after, pageItems),
    ledger: (businessDate, range) => ledgerOfDate(client, ledgerTable, businessDate, range),
    entries: (businessDate, range, limit) => entriesOfDate(client, ledgerTable, businessDate, range, limit),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => getSettlement(request, (services ??= buildServices())));
