import {
  each,
  encryption,
  honoured,
  honours,
  inert,
  observability,
  only,
  recovery,
  refused,
  tagList,
  type Properties,
  type ResourceTypes,
} from '../template/index.ts';
import { provisionTable, type TableWorld } from './provision-table.ts';

const capacity = inert('Capacity is not simulated: the host never throttles a table.');
const expiry = inert("DynamoDB's deletes lag by days, so programs must filter; the host never deletes.");

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
/** Of a global table, which says what is read for each replica and what is written for all. */
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
