import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { notFoundProblem } from '../../shared/problem.ts';
import { dayBody } from '../api.ts';
import { CalendarDate } from '../domain/business-date.ts';
import { businessDateIn, knownQuery, pageBody, pageIn, route } from '../requests.ts';
import { listDays, type DayServices } from './list-days.ts';
import { buildDayServices } from './services.ts';

/** `GET /business-days/{businessDate}`, and `GET /business-days`, newest first. */
export async function getBusinessDay(request: HttpRequest, services: DayServices): Promise<HttpResponse> {
  if (request.path['businessDate'] === undefined) {
    const { limit, cursor } = pageIn(request, CalendarDate);
    const { days, next } = await listDays(cursor, limit, services);
    return { status: 200, body: pageBody(days.map(dayBody), next) };
  }
  knownQuery(request, []);
  const day = await services.days.read(businessDateIn(request));
  if (day === undefined) throw notFoundProblem('business day');
  return { status: 200, body: dayBody(day) };
}

export const handler = route(getBusinessDay, buildDayServices);
