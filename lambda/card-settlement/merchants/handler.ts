import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { MerchantProfile } from '../domain/merchant.ts';
import { identifierIn, knownQuery, parseBody } from '../requests.ts';
import { recordMerchant, type MerchantServices } from './record-merchant.ts';
import { buildServices } from './services.ts';

/** `PUT /merchants/{merchantId}`: a first profile applies to every date, a change from the next business date on. */
async function putMerchant(request: HttpRequest, services: MerchantServices): Promise<HttpResponse> {
  const merchantId = identifierIn(request, 'merchantId');
  knownQuery(request, []);
  await recordMerchant(merchantId, parseBody(MerchantProfile, request), services);
  return { status: 204 };
}

let services: MerchantServices | undefined;

export const handler = httpHandler((request) => putMerchant(request, (services ??= buildServices())));
