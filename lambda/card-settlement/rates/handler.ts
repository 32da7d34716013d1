import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { FxRates } from '../domain/fx.ts';
import { businessDateIn, knownQuery, parseBody } from '../requests.ts';
import { recordRatesOf, type RateServices } from './record-rates.ts';
import { buildServices } from './services.ts';

/** `PUT /fx-rates/{businessDate}`: records the rates of a date until its first conversion freezes them. */
export async function putFxRates(request: HttpRequest, services: RateServices): Promise<HttpResponse> {
  const businessDate = businessDateIn(request);
  knownQuery(request, []);
  await recordRatesOf(businessDate, parseBody(FxRates, request), services);
  return { status: 204 };
}

let services: RateServices | undefined;

export const handler = httpHandler((request) => putFxRates(request, (services ??= buildServices())));
