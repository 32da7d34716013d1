import * as v from 'valibot';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { environmentNames } from '../contract.ts';
import { addDays, isCalendarDate, type BusinessDate } from '../domain/business-date.ts';
import type { BusinessDay } from '../domain/business-day.ts';
import { businessDateIn, knownQuery, pageBody, pageIn } from '../requests.ts';
import { dayBody } from '../responses.ts';
import { daysOf, readDay } from '../store/business-days.ts';

interface Services {
  readonly readDay: (businessDate: BusinessDate) => Promise<BusinessDay | undefined>;
  /** The newest days up to a date, page by page. */
  readonly newestDays: (
    to: BusinessDate | undefined,
    pageItems: number,
  ) => AsyncIterable<readonly BusinessDay[]>;
}

/** Lambda answers 6 MB at most; a day whose books differ at many terminals has up to 400 KB. All of it is ASCII. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Days that are read together, so that few are read in vain. */
const DAYS_READ = 25;

const Cursor = v.pipe(v.string(), v.check(isCalendarDate));

/** `GET /business-days/{businessDate}`, and `GET /business-days`: the newest first. */
export async function getBusinessDay(request: HttpRequest, services: Services): Promise<HttpResponse> {
  if (request.path['businessDate'] === undefined) return listBusinessDays(request, services);
  knownQuery(request, []);
  const day = await services.readDay(businessDateIn(request));
  if (day === undefined) throw notFoundProblem('business day');
  return { status: 200, body: dayBody(day) };
}

async function listBusinessDays(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const { limit, cursor } = pageIn(request, Cursor);
  const shown: BusinessDay[] = [];
  let bytes = 0;
  for await (const page of services.newestDays(
    cursor && addDays(cursor, -1),
    Math.min(limit + 1, DAYS_READ),
  )) {
    for (const day of page) {
      bytes += JSON.stringify(dayBody(day)).length;
      if (shown.length === limit || (shown.length > 0 && bytes > PAGE_BYTES)) {
        return { status: 200, body: pageBody(shown.map(dayBody), shown.at(-1)?.businessDate) };
      }
      shown.push(day);
    }
  }
  return { status: 200, body: pageBody(shown.map(dayBody), undefined) };
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.businessDaysTable);
  return {
    readDay: (businessDate) => readDay(client, table, businessDate),
    newestDays: (to, pageItems) =>
      daysOf(client, table, { ...(to === undefined ? {} : { to }), newestFirst: true }, pageItems),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => getBusinessDay(request, (services ??= buildServices())));
