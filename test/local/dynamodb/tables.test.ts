import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDB } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalHost } from '../../../local/host.ts';
import type { LocalHost } from '../../../local/host.ts';
import { isJsonObject, objectAt, textAt } from '../../../local/template/template.ts';
import type { JsonObject } from '../../../local/template/template.ts';
import { startEngines } from './engines.ts';

/**
 * Goal: a table is described as AWS described one of the same template.
 * Method: a host of two tables; shapes and texts are those that LocalStack's tests recorded on AWS in 2024 and 2025
 * (test_table_v2_stream, test_create_duplicate_table, test_non_existent_stream).
 */

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const keys = {
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
};

describe('a table of a template', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tables-'));
  let host: LocalHost;
  let client: DynamoDB;
  let names: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const Resources = {
      Streamed: {
        Type: 'AWS::DynamoDB::GlobalTable',
        Properties: {
          ...keys,
          BillingMode: 'PAY_PER_REQUEST',
          StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
          TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
          Replicas: [{ Region: 'us-east-1', DeletionProtectionEnabled: true }],
        },
      },
      Plain: {
        Type: 'AWS::DynamoDB::Table',
        Properties: { ...keys, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: false } },
      },
    };
    const Outputs = {
      Streamed: { Value: { Ref: 'Streamed' } },
      StreamArn: { Value: { 'Fn::GetAtt': ['Streamed', 'StreamArn'] } },
      TableId: { Value: { 'Fn::GetAtt': ['Streamed', 'TableId'] } },
      Plain: { Value: { Ref: 'Plain' } },
    };
    const artifacts = {
      Tables: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Tables.json' } },
    };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
    writeFileSync(join(folder, 'Tables.json'), JSON.stringify({ Resources, Outputs }));
    host = await startLocalHost({ assembly: folder, port: 0, awsPort: 0 });
    names = host.outputs['Tables'] ?? {};
    client = new DynamoDB({
      region: 'us-east-1',
      endpoint: host.awsEndpoint,
      credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
      maxAttempts: 1,
    });
  });
  afterAll(async () => {
    client.destroy();
    await host.stop();
    rmSync(folder, { recursive: true });
  });

  const described = async (TableName: string | undefined) =>
    (await client.describeTable({ TableName })).Table;

  test('says its stream, its protection and an id that is a UUID', async () => {
    const [streamArn = '', tableId] = [names['StreamArn'], names['TableId']];
    expect(await described(names['Streamed'])).toMatchObject({
      TableStatus: 'ACTIVE',
      TableId: expect.stringMatching(UUID),
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      LatestStreamArn: streamArn,
      LatestStreamLabel: streamArn.split('/stream/')[1],
      DeletionProtectionEnabled: true,
    });
    expect((await described(names['Streamed']))?.TableId).toBe(tableId);
    const plain = await described(names['Plain']);
    expect(plain).toMatchObject({
      TableId: expect.stringMatching(UUID),
      DeletionProtectionEnabled: false,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4000, Status: 'ACTIVE' },
    });
    for (const name of ['StreamSpecification', 'LatestStreamArn', 'TableThroughputModeSummary']) {
      expect(plain).not.toHaveProperty(name);
    }
  });

  test('that is protected is not deleted', async () => {
    const removal = client.deleteTable({ TableName: names['Streamed'] });
    await expect(removal).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('currently protected against deletion'),
    });
    expect((await described(names['Streamed']))?.TableStatus).toBe('ACTIVE');
  });

  test('tells whether its items expire', async () => {
    const told = async (TableName: string | undefined) =>
      (await client.describeTimeToLive({ TableName })).TimeToLiveDescription;
    expect(await told(names['Streamed'])).toEqual({
      TimeToLiveStatus: 'ENABLED',
      AttributeName: 'expiresAt',
    });
    expect(await told(names['Plain'])).toEqual({ TimeToLiveStatus: 'DISABLED' });
  });
});

test('a table that goes is told of without its keys, one that comes without what it can serve', async () => {
  const engines = await startEngines();
  try {
    const { dynamoDbClient: client } = engines;
    const made = await client.createTable({
      TableName: 'Things',
      ...keys,
      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 7 },
    });
    expect(made.TableDescription).not.toHaveProperty('WarmThroughput');
    const { Table } = await client.describeTable({ TableName: 'Things' });
    expect(Table?.WarmThroughput).toMatchObject({ ReadUnitsPerSecond: 5, WriteUnitsPerSecond: 7 });
    const { TableDescription } = await client.deleteTable({ TableName: 'Things' });
    expect(TableDescription).toMatchObject({ TableName: 'Things', TableStatus: 'DELETING' });
    for (const name of ['AttributeDefinitions', 'CreationDateTime', 'KeySchema']) {
      expect(TableDescription).not.toHaveProperty(name);
    }
  } finally {
    await engines.stop();
  }
});

describe('what is refused', () => {
  let engines: Awaited<ReturnType<typeof startEngines>>;
  beforeAll(async () => {
    engines = await startEngines();
    await engines.dynamoDb.createTable({ TableName: 'Things', BillingMode: 'PAY_PER_REQUEST', ...keys });
  });
  afterAll(() => engines.stop());

  const call = async (action: string, request: JsonObject): Promise<JsonObject> => {
    const isOfStreams = action.includes('Stream') || action === 'GetShardIterator';
    const service = isOfStreams ? engines.dynamoDb.streams.handle : engines.dynamoDb.handle;
    const { body } = await service({
      service: 'dynamodb',
      action,
      request,
      caller: { kind: 'operator' },
      signal: new AbortController().signal,
    });
    return isJsonObject(body) ? body : {};
  };

  test('a second table of a name, by its name', async () => {
    const again = new CreateTableCommand({ TableName: 'Things', BillingMode: 'PAY_PER_REQUEST', ...keys });
    await expect(engines.dynamoDbClient.send(again)).rejects.toMatchObject({
      name: 'ResourceInUseException',
      message: 'Table already exists: Things',
    });
  });

  test('a condition that does not hold, with `Message` where other errors have `message`', async () => {
    const write = {
      TableName: 'Things',
      Key: { id: { S: 'a' } },
      ConditionExpression: 'attribute_exists(id)',
    };
    expect(await call('UpdateItem', write)).toEqual({
      __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      Message: 'The conditional request failed',
    });
    expect(await call('GetItem', { TableName: 'Nothings', Key: { id: { S: 'a' } } })).toEqual({
      __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
      message: 'Requested resource not found',
    });
  });

  test('a stream that does not exist, by its ARN; and no shard comes after the last one', async () => {
    const streamArn = engines.dynamoDb.streams.enable({
      tableName: 'Things',
      keyNames: ['id'],
      viewType: 'KEYS_ONLY',
    });
    const unknown = `${streamArn}0`;
    const text = `Requested resource not found: Stream: ${unknown} not found`;
    for (const action of ['DescribeStream', 'GetShardIterator']) {
      expect(await call(action, { StreamArn: unknown })).toMatchObject({ message: text });
    }
    const shardsAfter = async (more: JsonObject) =>
      objectAt(await call('DescribeStream', { StreamArn: streamArn, ...more }), 'StreamDescription')[
        'Shards'
      ];
    const [shard] = [await shardsAfter({})].flat();
    expect(isJsonObject(shard)).toBe(true);
    const ExclusiveStartShardId = isJsonObject(shard) ? (textAt(shard, 'ShardId') ?? '') : '';
    expect(await shardsAfter({ ExclusiveStartShardId })).toEqual([]);
  });
});
