import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
  type StreamViewType,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { StageConfig } from './config.ts';
import type { Access } from './node-function.ts';

export interface DataTableProps {
  readonly config: StageConfig;
  /** Tells functions the table's name. */
  readonly variable: string;
  readonly keys: { readonly partitionKey: string; readonly sortKey?: string; readonly timeToLive?: string };
  /** @default text */
  readonly sortKeyType?: AttributeType;
  readonly stream?: StreamViewType;
}

interface Index {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

/** If a first deployment fails, deletion protection stops the rollback of a kept table, so that no data is lost. */
export class DataTable extends Table {
  private readonly variable: string;

  constructor(scope: Construct, id: string, props: DataTableProps) {
    const { keepsData } = props.config;
    const { partitionKey, sortKey, timeToLive } = props.keys;
    super(scope, id, {
      partitionKey: { name: partitionKey, type: AttributeType.STRING },
      ...(sortKey === undefined
        ? {}
        : { sortKey: { name: sortKey, type: props.sortKeyType ?? AttributeType.STRING } }),
      ...(timeToLive === undefined ? {} : { timeToLiveAttribute: timeToLive }),
      ...(props.stream === undefined ? {} : { stream: props.stream }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      deletionProtection: keepsData,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keepsData },
      removalPolicy: keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    this.variable = props.variable;
    if (!keepsData) {
      Validations.of(this).acknowledge({
        id: 'AwsSolutions-DDB3',
        reason:
          'This stage is made to be thrown away, with its tables; production, which keeps its data, has point-in-time recovery on every table.',
      });
    }
  }

  /** @param attributes besides the keys; all by default */
  addIndex(index: Index, attributes?: readonly string[]): void {
    this.addGlobalSecondaryIndex({
      indexName: index.name,
      partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
      sortKey: { name: index.sortKey, type: AttributeType.STRING },
      ...(attributes === undefined
        ? { projectionType: ProjectionType.ALL }
        : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...attributes] }),
    });
  }

  access(...actions: readonly string[]): Access {
    return this.accessTo(this.tableArn, actions);
  }

  query({ name }: { readonly name: string }): Access {
    return this.accessTo(`${this.tableArn}/index/${name}`, ['Query']);
  }

  private accessTo(resource: string, actions: readonly string[]): Access {
    return {
      environment: { [this.variable]: this.tableName },
      actions: actions.map((action) => `dynamodb:${action}`),
      resource,
    };
  }
}
