import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import type { HttpRequest, HttpResponse } from '../../shared/http.ts';
import { MerchantProfile } from '../domain/merchant.ts';
import { identifierIn, knownQuery, parseBody, route } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { merchantsTable } from '../store/merchants.ts';
import { recordMerchant, type MerchantServices } from './record-merchant.ts';

/** `PUT /merchants/{merchantId}` */
async function putMerchant(request: HttpRequest, services: MerchantServices): Promise<HttpResponse> {
  const merchantId = identifierIn(request, 'merchantId');
  knownQuery(request, []);
  await recordMerchant(merchantId, parseBody(MerchantProfile, request), services);
  return { status: 204 };
}

export const handler = route(putMerchant, () => ({
  calendar: businessCalendar(),
  now: systemClock,
  merchants: merchantsTable(createDynamoDbClient()),
}));
