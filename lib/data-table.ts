import { RemovalPolicy } from 'aws-cdk-lib';
import { BillingMode, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import type { StageConfig } from './config.ts';

/** What every table has in common: billed by use, encrypted, and kept or destroyed as the stage says. */
export function dataTableProps({ keepsData }: StageConfig): Omit<TableProps, 'partitionKey' | 'sortKey'> {
  return {
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.DEFAULT,
    deletionProtection: keepsData,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keepsData },
    removalPolicy: keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  };
}
