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
import { CurrencyCode, Identifier } from '../domain/transaction.ts';
import { businessDateIn, identifierIn, knownQuery, pageBody, pageIn, type PageRequest } from '../requests.ts';
import { entryBody, merchantTotalsBody } from '../responses.ts';
import { readDay } from '../tables/business-days.ts';
import { entriesOfDate, ledgerOfDate, type LedgerRange, type WrittenEntry } from '../tables/ledger.ts';
import { merchantTotalsOf } from '../tables/merchant-totals.ts';

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

/** Sorts after every key that begins with an identifier and `#`, and before every longer identifier. */
const AFTER_KEYS = '$';

const TotalsCursor = v.strictObject({ merchantId: Identifier, currency: CurrencyCode });

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
  { limit, cursor }: PageRequest<v.InferOutput<typeof TotalsCursor>>,
  day: BusinessDay,
  services: Services,
): Promise<HttpResponse> {
  const found: MerchantTotals[] = [];
  for await (const totals of totalsOf(day, cursor, services, limit + 1)) {
    found.push(totals);
    if (found.length > limit) break;
  }
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  const next = last === undefined ? undefined : { merchantId: last.merchantId, currency: last.currency };
  return {
    status: 200,
    body: {
      businessDate: day.businessDate,
      final: isFinal(day),
      ...pageBody(items.map(merchantTotalsBody), next),
    },
  };
}

async function file(day: BusinessDay, services: Services): Promise<HttpResponse> {
  const details: MerchantTotals[] = [];
  for await (const totals of totalsOf(day, undefined, services, 500)) {
    details.push(totals);
    if (details.length > FILE_LINES_LIMIT) {
      throw new Problem(422, 'settlement-file-too-long', 'The settlement file is too long for one answer', {
        detail: `It would have more than ${FILE_LINES_LIMIT} detail lines. Read the settlement as JSON, page by page.`,
      });
    }
  }
  const asOf = isFinal(day) ? (day.balancedAt ?? '') : services.now().toISOString();
  return {
    status: 200,
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="settlement-${day.businessDate}.csv"`,
    },
    body: settlementFile({ businessDate: day.businessDate, final: isFinal(day), asOf }, details),
  };
}

/** A day's totals by merchant and currency: as written down when it was balanced, before that as the ledger stands. */
async function* totalsOf(
  day: BusinessDay,
  after: { readonly merchantId: string; readonly currency: string } | undefined,
  services: Services,
  pageItems: number,
): AsyncGenerator<MerchantTotals, void, undefined> {
  if (isFinal(day)) {
    const key = after === undefined ? undefined : `${after.merchantId}#${after.currency}`;
    for await (const page of services.finalTotals(day, key, pageItems)) yield* page;
    return;
  }
  const isAfter = ({ merchantId, currency }: MerchantTotals): boolean =>
    after === undefined || merchantId !== after.merchantId || currency > after.currency;
  const range = after === undefined ? undefined : { after: `${after.merchantId}#` };
  const merchants = createMerchantTotals();
  for await (const entry of services.ledger(day.businessDate, range)) {
    for (const totals of merchants.add(entry)) if (isAfter(totals)) yield totals;
  }
  for (const totals of merchants.end()) if (isAfter(totals)) yield totals;
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
