import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { environmentVariable } from '../../shared/environment.ts';
import { itemTable } from '../../shared/item-table.ts';
import { environmentNames, tables } from '../contract.ts';
import type { BusinessDate } from '../domain/business-date.ts';
import { FIRST_EFFECTIVE_DATE, MerchantProfile, sameProfile } from '../domain/merchant.ts';

const keys = tables.merchants;

const StoredProfile = v.object({ ...MerchantProfile.entries, effectiveFrom: v.string() });

export function merchantsTable(
  client: DynamoDBClient,
  name = environmentVariable(environmentNames.merchantsTable),
) {
  const table = itemTable(client, name);

  const profileOn = async (
    merchantId: string,
    businessDate: BusinessDate,
  ): Promise<v.InferOutput<typeof StoredProfile> | undefined> =>
    table.getLast(
      {
        KeyConditionExpression: `${keys.partitionKey} = :id AND ${keys.sortKey} <= :date`,
        values: { ':id': merchantId, ':date': businessDate },
      },
      StoredProfile,
    );

  return {
    profileOn,

    /** A first profile applies to every date, a change from `changesFrom` on. */
    record: async (
      merchantId: string,
      profile: MerchantProfile,
      changesFrom: BusinessDate,
    ): Promise<void> => {
      const standing = await profileOn(merchantId, changesFrom);
      if (standing !== undefined && sameProfile(standing, profile)) return;
      const from = (date: BusinessDate) => ({
        ...profile,
        [keys.partitionKey]: merchantId,
        [keys.sortKey]: date,
      });
      const isFirst =
        standing === undefined &&
        (await table.put(from(FIRST_EFFECTIVE_DATE), {
          ConditionExpression: `attribute_not_exists(${keys.partitionKey})`,
        }));
      // Another first profile may come between; then this one is a change.
      if (!isFirst) await table.put(from(changesFrom));
    },
  };
}

export type MerchantsTable = ReturnType<typeof merchantsTable>;
