import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BillingMode, Table, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';

/**
 * A table as all of them are: billed by use, encrypted, and kept or destroyed as the stage says. One that is kept is not
 * left behind by a first deployment that fails; its deletion protection makes the rollback say so and stop, rather than
 * delete what somebody may have written to.
 */
export function dataTable(
  scope: Construct,
  id: string,
  { keepsData }: StageConfig,
  props: Pick<TableProps, 'partitionKey' | 'sortKey' | 'timeToLiveAttribute' | 'stream'>,
): Table {
  const table = new Table(scope, id, {
    ...props,
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.DEFAULT,
    deletionProtection: keepsData,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keepsData },
    removalPolicy: keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
  });
  if (!keepsData) {
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason:
        'This stage is made to be thrown away, with its tables; production, which keeps its data, has point-in-time recovery on every table.',
    });
  }
  return table;
}
