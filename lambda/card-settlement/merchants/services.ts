import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { businessCalendar } from '../settings.ts';
import { merchantsTable } from '../store/merchants.ts';
import type { MerchantServices } from './record-merchant.ts';

export function buildServices(): MerchantServices {
  return {
    calendar: businessCalendar(),
    now: systemClock,
    merchants: merchantsTable(createDynamoDbClient()),
  };
}
