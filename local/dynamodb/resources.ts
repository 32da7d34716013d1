import { policyAt, type Access } from '../iam/index.ts';
import {
  each,
  encryption,
  honoured,
  honours,
  inert,
  isJsonObject,
  objectListAt,
  observability,
  only,
  optionalBoolean,
  optionalText,
  physicalName,
  propertyAt,
  recovery,
  refused,
  ResourceError,
  tagList,
  textAt,
  type Json,
  type JsonObject,
  type Place,
  type Properties,
  type Provision,
  type ResourceRequest,
  type ResourceTypes,
} from '../template/index.ts';
import type { DynamoDb, TableProperties } from './dynamodb.ts';
import type { StreamViewType } from './streams.ts';

interface TableWorld extends Place {
  readonly access: Access;
  readonly dynamoDb: DynamoDb;
}

const VIEW_TYPES: readonly StreamViewType[] = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'];

const provisionTable: Provision<TableWorld> = async (resource, world) => {
  if (objectListAt(resource, 'Replicas').length > 1) {
    throw new ResourceError(resource, 'the host has one region, so a table has one replica.');
  }
  const tableName =
    optionalText(resource, 'TableName') ?? physicalName(resource.stackName, resource.logicalId);
  const globalIndexes = objectListAt(resource, 'GlobalSecondaryIndexes').map(indexRequest);
  const localIndexes = objectListAt(resource, 'LocalSecondaryIndexes').map(indexRequest);
  try {
    await world.dynamoDb.createTable(
      {
        TableName: tableName,
        AttributeDefinitions: objectListAt(resource, 'AttributeDefinitions'),
        KeySchema: objectListAt(resource, 'KeySchema'),
        BillingMode: 'PAY_PER_REQUEST',
        ...(globalIndexes.length > 0 ? { GlobalSecondaryIndexes: globalIndexes } : {}),
        ...(localIndexes.length > 0 ? { LocalSecondaryIndexes: localIndexes } : {}),
      },
      tableProperties(resource),
    );
  } catch (error) {
    throw new ResourceError(resource, error instanceof Error ? error.message : String(error));
  }
  const arn = `arn:aws:dynamodb:${world.region}:${world.accountId}:table/${tableName}`;
  const viewType = streamViewType(resource);
  const keyNames = objectListAt(resource, 'KeySchema').map((key) => textAt(key, 'AttributeName') ?? '');
  const stream: { readonly StreamArn?: string } =
    viewType === undefined
      ? {}
      : { StreamArn: world.dynamoDb.streams.enable({ tableName, keyNames, viewType }) };
  attachPolicies(resource, world, arn, stream.StreamArn);
  return { ref: tableName, attributes: { Arn: arn, TableId: world.dynamoDb.tableId(tableName), ...stream } };
};

function tableProperties(resource: ResourceRequest): TableProperties {
  const [replica = {}] = objectListAt(resource, 'Replicas');
  const attribute = optionalText(resource, 'TimeToLiveSpecification.AttributeName');
  const isExpiring = optionalBoolean(resource, 'TimeToLiveSpecification.Enabled') === true;
  return {
    ...(isExpiring && attribute !== undefined ? { timeToLiveAttribute: attribute } : {}),
    isProtected: [resource, { ...resource, properties: replica }].some(
      (holder) => optionalBoolean(holder, 'DeletionProtectionEnabled') === true,
    ),
  };
}

/** TableV2 puts policies on the table's one replica. */
function attachPolicies(
  resource: ResourceRequest,
  world: TableWorld,
  tableArn: string,
  streamArn: string | undefined,
): void {
  const [replica = {}] = objectListAt(resource, 'Replicas');
  const atReplica = { ...resource, properties: replica };
  for (const [holder, path, arn] of [
    [resource, 'ResourcePolicy.PolicyDocument', tableArn],
    [atReplica, 'ResourcePolicy.PolicyDocument', tableArn],
    [resource, 'StreamSpecification.ResourcePolicy.PolicyDocument', streamArn],
    [atReplica, 'ReplicaStreamSpecification.ResourcePolicy.PolicyDocument', streamArn],
  ] as const) {
    if (arn === undefined || propertyAt(holder, path) === undefined) continue;
    world.access.attachToResource(arn, policyAt(holder, path, 'resource'));
  }
}

function streamViewType(resource: ResourceRequest): StreamViewType | undefined {
  const text = optionalText(resource, 'StreamSpecification.StreamViewType');
  const viewType = VIEW_TYPES.find((known) => known === text);
  if (text !== undefined && viewType === undefined) {
    throw new ResourceError(resource, `StreamSpecification.StreamViewType has no ${text}.`);
  }
  return viewType;
}

function indexRequest(index: JsonObject): JsonObject {
  const wanted: Record<string, Json> = {};
  for (const key of ['IndexName', 'KeySchema']) if (index[key] !== undefined) wanted[key] = index[key];
  if (isJsonObject(index['Projection'])) wanted['Projection'] = index['Projection'];
  return wanted;
}

const capacity = inert('Capacity is not simulated: the host never throttles a table.');
const expiry = inert(
  "DynamoDB's deletes lag by days, so programs must filter. Here expired items go when the clock is moved.",
);

const keySchema = { 'KeySchema[].AttributeName': honoured, 'KeySchema[].KeyType': honoured };
const index = (prefix: string): Properties => ({
  ...each(prefix, honoured, 'IndexName', ...Object.keys(keySchema)),
  ...each(`${prefix}Projection.`, honoured, 'ProjectionType', 'NonKeyAttributes'),
});

const warmThroughput = (prefix = ''): Properties =>
  each(`${prefix}WarmThroughput.`, capacity, 'ReadUnitsPerSecond', 'WriteUnitsPerSecond');
const throughput = (prefix = ''): Properties => ({
  ...each(`${prefix}ProvisionedThroughput.`, capacity, 'ReadCapacityUnits', 'WriteCapacityUnits'),
  ...each(`${prefix}OnDemandThroughput.`, capacity, 'MaxReadRequestUnits', 'MaxWriteRequestUnits'),
});
/** A global table sets reads for each replica and writes for all. */
const globalThroughput = (prefix: string, kind: 'Read' | 'Write'): Properties => ({
  ...each(
    `${prefix}${kind}ProvisionedThroughputSettings.${kind}CapacityAutoScalingSettings.`,
    capacity,
    'MaxCapacity MinCapacity SeedCapacity',
    ...['DisableScaleIn', 'ScaleInCooldown', 'ScaleOutCooldown', 'TargetValue'].map(
      (path) => `TargetTrackingScalingPolicyConfiguration.${path}`,
    ),
  ),
  [`${prefix}${kind}OnDemandThroughputSettings.Max${kind}RequestUnits`]: capacity,
});
const readThroughput = (prefix: string): Properties => ({
  ...globalThroughput(prefix, 'Read'),
  [`${prefix}ReadProvisionedThroughputSettings.ReadCapacityUnits`]: capacity,
});
const insights = (prefix = ''): Properties =>
  each(`${prefix}ContributorInsightsSpecification.`, observability, 'Enabled', 'Mode');
const pointInTimeRecovery = (prefix = ''): Properties =>
  each(
    `${prefix}PointInTimeRecoverySpecification.`,
    recovery,
    'PointInTimeRecoveryEnabled RecoveryPeriodInDays',
  );

const table: Properties = {
  TableName: honoured,
  ...each('AttributeDefinitions[].', honoured, 'AttributeName', 'AttributeType'),
  ...keySchema,
  ...index('GlobalSecondaryIndexes[].'),
  ...warmThroughput('GlobalSecondaryIndexes[].'),
  ...index('LocalSecondaryIndexes[].'),
  BillingMode: inert('The host never throttles a table, whoever pays for it.'),
  ...warmThroughput(),
  ...each('SSESpecification.', encryption, 'SSEEnabled', 'SSEType'),
  ...each('TimeToLiveSpecification.', expiry, 'AttributeName', 'Enabled'),
  'StreamSpecification.StreamViewType': honoured,
};

export const DYNAMODB_TYPES: ResourceTypes<TableWorld> = {
  'AWS::DynamoDB::Table': {
    provision: provisionTable,
    properties: {
      ...honours(
        'DeletionProtectionEnabled ResourcePolicy.PolicyDocument',
        'StreamSpecification.ResourcePolicy.PolicyDocument',
      ),
      ...table,
      ...throughput(),
      ...throughput('GlobalSecondaryIndexes[].'),
      ...insights('GlobalSecondaryIndexes[].'),
      'SSESpecification.KMSMasterKeyId': encryption,
      ...pointInTimeRecovery(),
      ...insights(),
      TableClass: inert('Storage classes differ in price only.'),
      ...tagList(),
      KinesisStreamSpecification: refused('There is no Kinesis here.'),
      ImportSourceSpecification: refused('There is no S3 to import from.'),
    },
  },
  'AWS::DynamoDB::GlobalTable': {
    provision: provisionTable,
    properties: {
      ...honours(
        'Replicas[].ResourcePolicy.PolicyDocument',
        'Replicas[].ReplicaStreamSpecification.ResourcePolicy.PolicyDocument',
      ),
      ...table,
      ...globalThroughput('', 'Write'),
      ...globalThroughput('GlobalSecondaryIndexes[].', 'Write'),
      MultiRegionConsistency: refused('The host has one region.'),
      GlobalTableWitnesses: refused('The host has one region.'),
      'Replicas[].Region': only(/^us-east-1$/),
      ...pointInTimeRecovery('Replicas[].'),
      'Replicas[].DeletionProtectionEnabled': recovery,
      ...insights('Replicas[].'),
      'Replicas[].TableClass': inert('Storage classes differ in price only.'),
      'Replicas[].SSESpecification.KMSMasterKeyId': encryption,
      ...tagList('Replicas[].Tags'),
      'Replicas[].GlobalSecondaryIndexes[].IndexName': capacity,
      ...insights('Replicas[].GlobalSecondaryIndexes[].'),
      ...readThroughput('Replicas[].GlobalSecondaryIndexes[].'),
      ...readThroughput('Replicas[].'),
      'Replicas[].KinesisStreamSpecification': refused('There is no Kinesis here.'),
    },
  },
};
