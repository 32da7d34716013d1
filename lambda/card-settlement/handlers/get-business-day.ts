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
import { daysOf, readDay } from '../tables/business-days.ts';

interface Services {
  readonly readDay: (businessDate: BusinessDate) => Promise<BusinessDay | undefined>;
  /** The newest days up to a date. */
  readonly newestDays: (to: BusinessDate | undefined, limit: number) => Promise<readonly BusinessDay[]>;
}

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
  const days = await services.newestDays(cursor === undefined ? undefined : addDays(cursor, -1), limit + 1);
  const shown = days.slice(0, limit);
  const next = days.length > limit ? shown.at(-1)?.businessDate : undefined;
  return { status: 200, body: pageBody(shown.map(dayBody), next) };
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.businessDaysTable);
  return {
    readDay: (businessDate) => readDay(client, table, businessDate),
    newestDays: async (to, limit) => {
      const days: BusinessDay[] = [];
      const range = { ...(to === undefined ? {} : { to }), newestFirst: true };
      for await (const page of daysOf(client, table, range, limit)) {
        days.push(...page);
        if (days.length >= limit) break;
      }
      return days.slice(0, limit);
    },
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => getBusinessDay(request, (services ??= buildServices())));
