import { systemClock } from '../../shared/clock.ts';
import { createDynamoDbClient } from '../../shared/dynamodb.ts';
import { environmentVariable } from '../../shared/environment.ts';
import { environmentNames } from '../contract.ts';
import { businessCalendar } from '../settings.ts';
import { recordProfile } from '../store/merchants.ts';
import type { MerchantServices } from './record-merchant.ts';

/** The ports, on the table that the environment names. */
export function buildServices(): MerchantServices {
  const client = createDynamoDbClient();
  const table = environmentVariable(environmentNames.merchantsTable);
  return {
    calendar: businessCalendar(),
    now: systemClock,
    record: (merchantId, profile, changesFrom) =>
      recordProfile(client, table, merchantId, profile, changesFrom),
  };
}
