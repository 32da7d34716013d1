import { logger } from '../../shared/log.ts';
import { addDays, businessDateOf, type BusinessCalendar } from '../domain/business-date.ts';
import type { MerchantProfile } from '../domain/merchant.ts';
import type { MerchantsTable } from '../store/merchants.ts';

export interface MerchantServices {
  readonly calendar: BusinessCalendar;
  readonly now: () => Date;
  readonly merchants: Pick<MerchantsTable, 'record'>;
}

export async function recordMerchant(
  merchantId: string,
  profile: MerchantProfile,
  services: MerchantServices,
): Promise<void> {
  await services.merchants.record(
    merchantId,
    profile,
    addDays(businessDateOf(services.now(), services.calendar), 1),
  );
  logger.info('merchant recorded', { merchantId });
}
