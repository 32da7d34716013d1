import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { FxRates } from '../domain/fx.ts';
import { businessDateIn, knownQuery, parseBody, route } from '../requests.ts';
import { recordRatesOf, type RateServices } from './record-rates.ts';
import { buildServices } from './services.ts';

/** `PUT /fx-rates/{businessDate}` */
export async function putFxRates(request: HttpRequest, services: RateServices): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  knownQuery(request, []);
  await recordRatesOf(businessDate, parseBody(FxRates, request), services);
  return { status: 204 };
}

export const handler = route(putFxRates, buildServices);
