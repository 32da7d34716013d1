import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { httpHandler, type HttpRequest, type HttpResponse } from '../../shared/http.ts';
import { logger } from '../../shared/log.ts';
import { environmentNames } from '../contract.ts';
import {
  addDays,
  businessDateOf,
  type BusinessCalendar,
  type BusinessDate,
} from '../domain/business-date.ts';
import { MerchantProfile } from '../domain/merchant.ts';
import { identifierIn, knownQuery, parseBody } from '../requests.ts';
import { businessCalendar } from '../settings.ts';
import { recordProfile } from '../store/merchants.ts';

interface Services {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly record: (merchantId: string, profile: MerchantProfile, changesFrom: BusinessDate) => Promise<void>;
}

/** `PUT /merchants/{merchantId}`: a first profile applies to every date, a change from the next business date on. */
export async function putMerchant(request: HttpRequest, services: Services): Promise<HttpResponse> {
  const merchantId = identifierIn(request, 'merchantId');
  knownQuery(request, []);
  const profile = parseBody(MerchantProfile, request);
  await services.record(merchantId, profile, addDays(businessDateOf(services.now(), services.calendar), 1));
  logger.info('merchant recorded', { merchantId });
  return { status: 204 };
}

function buildServices(): Services {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.merchantsTable);
  return {
    calendar: businessCalendar(),
    now: systemClock,
    record: (merchantId, profile, changesFrom) =>
      recordProfile(client, table, merchantId, profile, changesFrom),
  };
}

let services: Services | undefined;

export const handler = httpHandler((request) => putMerchant(request, (services ??= buildServices())));
