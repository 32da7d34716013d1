import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, CreateTableCommandInput, DynamoDB } from '@aws-sdk/client-dynamodb';
import type { StreamViewType } from '../../../local/dynamodb/streams.ts';
import type { Image, StreamsCall } from './streams-call.ts';
import type { Scenario as ReEnactment } from './re-enact.ts';
import type { LeftAside } from './recorded.ts';

/** What a scenario has: clients, and tables of its own. */
export interface Account {
  readonly dynamodb: DynamoDB;
  readonly streams: StreamsCall;
  /** Makes a table as a template does, with the key `id` unless told otherwise. @returns its name */
  readonly table: (request?: Partial<CreateTableCommandInput>, viewType?: StreamViewType) => Promise<string>;
  readonly freeName: () => string;
}

type Scenario = ReEnactment<Account>;

/** An answer, or a refusal, in the shape in which the recordings have them. */
async function answerOf(call: Promise<{ readonly $metadata: { readonly httpStatusCode?: number } }>) {
  try {
    const { $metadata, ...output } = await call;
    return { ...output, ...metadata($metadata.httpStatusCode) };
  } catch (error) {
    if (!(error instanceof DynamoDBServiceException)) throw error;
    return {
      Error: { Code: error.name, Message: error.message },
      ...('Item' in error ? { Item: error.Item } : {}),
      ...metadata(error.$metadata.httpStatusCode),
    };
  }
}

function metadata(HTTPStatusCode: number | undefined) {
  return { ResponseMetadata: { HTTPHeaders: {}, HTTPStatusCode } };
}

async function refusalOf(operation: string, call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'no refusal';
  } catch (error) {
    if (!(error instanceof DynamoDBServiceException)) throw error;
    return `An error occurred (${error.name}) when calling the ${operation} operation: ${error.message}`;
  }
}

const provisioned = { ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } };
const keyOf = (name: string): Partial<CreateTableCommandInput> => ({
  KeySchema: [{ AttributeName: name, KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: name, AttributeType: 'S' }],
});
const twoKeys = (partition: string, sort: string): Partial<CreateTableCommandInput> => ({
  KeySchema: [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    { AttributeName: partition, AttributeType: 'S' },
    { AttributeName: sort, AttributeType: 'S' },
  ],
});
const item = (attributes: Readonly<Record<string, string>>): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(attributes).map(([name, S]) => [name, { S }]));

/** A table with a stream, which is described as CreateTable does: the host takes streams from templates. */
async function streamingTable({ dynamodb, table, streams }: Account, viewType: StreamViewType, key = 'id') {
  const TableName = await table({ ...keyOf(key), ...provisioned }, viewType);
  const { Table } = await dynamodb.describeTable({ TableName });
  const { WarmThroughput: _, ...TableDescription } = Table ?? {};
  const StreamArn = TableDescription.LatestStreamArn ?? '';
  const description = await streams('DescribeStream', { StreamArn });
  const ShardId = description.StreamDescription?.Shards[0]?.ShardId ?? '';
  return { TableName, StreamArn, ShardId, created: { TableDescription, ...metadata(200) }, description };
}

type Stream = Awaited<ReturnType<typeof streamingTable>>;

async function recordsOf({ streams }: Account, { StreamArn, ShardId }: Stream) {
  const from = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
  const { ShardIterator = '' } = await streams('GetShardIterator', from);
  const { Records = [] } = await streams('GetRecords', { ShardIterator });
  return Records;
}

const withIndex =
  (
    table: Partial<CreateTableCommandInput>,
    throughput: Pick<CreateTableCommandInput, 'ProvisionedThroughput'>,
  ): Scenario =>
  async ({ dynamodb, freeName }) => {
    const TableName = freeName();
    const index = {
      IndexName: 'TransactionRecordID',
      KeySchema: [{ AttributeName: 'TRID', KeyType: 'HASH' as const }],
      Projection: { ProjectionType: 'ALL' as const },
      ...throughput,
    };
    const created = await answerOf(
      dynamodb.createTable({
        TableName,
        KeySchema: [{ AttributeName: 'TID', KeyType: 'HASH' }],
        AttributeDefinitions: ['TID', 'TRID'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S' as const,
        })),
        GlobalSecondaryIndexes: [index],
        ...table,
      }),
    );
    return { 'create-table-with-gsi': created, 'describe-table': await described(dynamodb, TableName) };
  };

/** Once it is active. */
async function described(dynamodb: DynamoDB, TableName: string) {
  for (;;) {
    const answer = await answerOf(dynamodb.describeTable({ TableName }));
    if (JSON.stringify(answer).includes('"TableStatus":"ACTIVE"')) return answer;
  }
}

/** As a client unpacks it. */
const unpacked = (image: Image = {}) =>
  Object.fromEntries(
    Object.entries(image).map(([name, value]) => [
      name,
      value['B'] === undefined ? value : { B: new Uint8Array(Buffer.from(value['B'], 'base64')) },
    ]),
  );

/** By the name of the test that AWS answered. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  test_valid_local_secondary_index: async ({ dynamodb, table }) => {
    const keys = twoKeys('PK', 'SK');
    const TableName = await table({
      ...keys,
      ...provisioned,
      AttributeDefinitions: [
        ...(keys.AttributeDefinitions ?? []),
        { AttributeName: 'LSI1SK', AttributeType: 'N' },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: 'LSI1',
          KeySchema: [
            { AttributeName: 'PK', KeyType: 'HASH' },
            { AttributeName: 'LSI1SK', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    await dynamodb.putItem({
      TableName,
      Item: { ...item({ SK: 'hello', PK: 'test one' }), LSI1SK: { N: '123' } },
    });
    const asked = dynamodb.query({
      TableName,
      IndexName: 'LSI1',
      KeyConditionExpression: 'PK = :v1',
      ExpressionAttributeValues: { ':v1': { S: 'test one' } },
      Select: 'ALL_ATTRIBUTES',
    });
    return { Items: await answerOf(asked) };
  },

  test_return_values_in_put_item: async ({ dynamodb, table }) => {
    const TableName = await table();
    const put = (data: string, ReturnValues?: 'ALL_OLD') =>
      answerOf(dynamodb.putItem({ TableName, Item: item({ id: 'id1', data }), ReturnValues }));
    return {
      PutFirstItem: await put('foobar', 'ALL_OLD'),
      PutFirstItemOLD: await put('foobar', 'ALL_OLD'),
      PutFirstItemB: await put('barfoo', 'ALL_OLD'),
      PutSecondItem: await put('foobar'),
      PutSecondItemReturnNone: await put('foobar'),
    };
  },

  test_empty_and_binary_values: async ({ dynamodb, table }) => {
    const TableName = await table();
    const put = (id: string, data: AttributeValue) =>
      answerOf(dynamodb.putItem({ TableName, Item: { id: { S: id }, data } }));
    return {
      PutFirstItem: await put('id1', { S: '' }),
      PutSecondItem: await put('id2', { B: Buffer.from([0x90]) }),
    };
  },

  test_batch_write_binary: async ({ dynamodb, table }) => {
    const TableName = await table({ ...twoKeys('PK', 'SK'), BillingMode: 'PAY_PER_REQUEST' });
    const put = (number: number, data: string) => ({
      PutRequest: {
        Item: {
          ...item({ PK: `hello-${number}`, SK: `user-${number}` }),
          data: { B: Buffer.from(data, 'latin1') },
        },
      },
    });
    const RequestItems = { [TableName]: [put(1, 'test-1'), put(2, 'test \u00C0 \u00ED')] };
    return { Response: await answerOf(dynamodb.batchWriteItem({ RequestItems })) };
  },

  test_create_duplicate_table: async ({ dynamodb, table }) => {
    const request = { TableName: await table(), ...keyOf('id'), ...provisioned };
    return { Error: await refusalOf('CreateTable', dynamodb.createTable(request)) };
  },

  test_batch_write_items: async ({ dynamodb, table }) => {
    const TableName = await table();
    await dynamodb.putItem({ TableName, Item: item({ id: 'Fred' }) });
    const requests = [
      { DeleteRequest: { Key: item({ id: 'Fred' }) } },
      { PutRequest: { Item: item({ id: 'Bob' }) } },
    ];
    const RequestItems = { [TableName]: requests };
    return { BatchWriteResponse: await answerOf(dynamodb.batchWriteItem({ RequestItems })) };
  },

  test_dynamodb_pay_per_request: async ({ dynamodb, freeName }) => {
    const request = { TableName: freeName(), ...keyOf('id'), ...provisioned };
    const asked = dynamodb.createTable({ ...request, BillingMode: 'PAY_PER_REQUEST' });
    return { Error: await refusalOf('CreateTable', asked) };
  },

  test_dynamodb_get_batch_items: async ({ dynamodb, table }) => {
    const TableName = await table(keyOf('PK'));
    const RequestItems = { [TableName]: { Keys: [item({ PK: 'test-key' })] } };
    const { Responses, UnprocessedKeys, $metadata } = await dynamodb.batchGetItem({ RequestItems });
    const answer = { Responses: { '<test-table>': Responses?.[TableName] }, UnprocessedKeys, $metadata };
    return { Response: await answerOf(Promise.resolve(answer)) };
  },

  test_batch_write_not_matching_schema: async ({ dynamodb, table }) => {
    const TableName = await table(twoKeys('id', 'sortKey'));
    const RequestItems = { [TableName]: [{ PutRequest: { Item: item({ nonKey: 'hello' }) } }] };
    const asked = dynamodb.batchWriteItem({ RequestItems });
    return { ValidationException: await refusalOf('BatchWriteItem', asked) };
  },

  test_data_encoding_consistency: async (account) => {
    const { dynamodb } = account;
    const stream = await streamingTable(account, 'NEW_AND_OLD_IMAGES');
    const { TableName } = stream;
    const Key = item({ id: 'id1' });
    const read = async () => (await dynamodb.getItem({ TableName, Key })).Item;
    const Item = { ...Key, version: { N: '1' }, data: { B: Buffer.from([0x90]) } };
    await dynamodb.putItem({ TableName, Item });
    const [got, [first]] = [await read(), await recordsOf(account, stream)];
    await dynamodb.updateItem({
      TableName,
      Key,
      UpdateExpression: 'SET version=:v',
      ExpressionAttributeValues: { ':v': { N: '2' } },
    });
    const [, second] = await recordsOf(account, stream);
    return {
      GetItem: got,
      GetRecords: unpacked(first?.dynamodb.NewImage),
      GetItemAfterUpdate: await read(),
      GetRecordsAfterUpdate: unpacked(second?.dynamodb.NewImage),
    };
  },

  test_batch_write_items_streaming: async (account) => {
    const { dynamodb } = account;
    const stream = await streamingTable(account, 'NEW_AND_OLD_IMAGES');
    const { TableName, created, description } = stream;
    const put = (attributes: Readonly<Record<string, string>>) => ({
      PutRequest: { Item: item(attributes) },
    });
    const write = (...requests: object[]) =>
      answerOf(dynamodb.batchWriteItem({ RequestItems: { [TableName]: requests } }));
    return {
      'create-table': created,
      'describe-stream': description,
      'put-item-1': await answerOf(dynamodb.putItem({ TableName, Item: item({ id: 'Fred' }) })),
      'batch-write-response-overwrite-item-1': await write(put({ id: 'Fred' }), put({ id: 'NewKey' })),
      'batch-write-response-delete': await write(
        { DeleteRequest: { Key: item({ id: 'NewKey' }) } },
        put({ id: 'Fred', name: 'Fred' }),
      ),
      'get-records': { Records: await recordsOf(account, stream) },
    };
  },

  test_dynamodb_stream_stream_view_type: async (account) => {
    const { dynamodb, streams } = account;
    const stream = await streamingTable(account, 'KEYS_ONLY', 'Username');
    const { TableName, StreamArn, ShardId, created, description } = stream;
    for (const name of ['Fred', 'Alice']) {
      const Key = item({ Username: name });
      await dynamodb.putItem({ TableName, Item: Key });
      await dynamodb.putItem({ TableName, Item: Key });
      await dynamodb.updateItem({
        TableName,
        Key,
        UpdateExpression: 'set S=:r',
        ExpressionAttributeValues: { ':r': { S: `${name}_Modified` } },
        ReturnValues: 'UPDATED_NEW',
      });
      await dynamodb.deleteItem({ TableName, Key });
    }
    const { SequenceNumberRange } = description.StreamDescription?.Shards[0] ?? {};
    const SequenceNumber = SequenceNumberRange?.StartingSequenceNumber ?? '';
    return {
      'create-table': created,
      'describe-stream': description,
      'get-shard-iterator': await streams('GetShardIterator', {
        StreamArn,
        ShardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber,
      }),
      'get-records': { Records: await recordsOf(account, stream) },
    };
  },

  test_dynamodb_stream_records_with_update_item: async (account) => {
    const { dynamodb } = account;
    const stream = await streamingTable(account, 'NEW_AND_OLD_IMAGES');
    const { TableName, created, description } = stream;
    for (const [one, other] of [
      ['value1', 'value2'],
      ['value1', 'value2'],
      ['value2', 'value3'],
    ] as const) {
      await dynamodb.updateItem({
        TableName,
        Key: item({ id: 'my-item-id' }),
        UpdateExpression: 'SET attr1 = :v1, attr2 = :v2',
        ExpressionAttributeValues: item({ ':v1': one, ':v2': other }),
      });
    }
    return {
      'create-table': created,
      'describe-stream': description,
      'get-records': { Records: await recordsOf(account, stream) },
    };
  },

  test_return_values_on_conditions_check_failure: async ({ dynamodb, table }) => {
    const TableName = await table();
    const Item = { ...item({ id: '456', product: 'sporting goods' }), price: { N: '650' } };
    await dynamodb.putItem({ TableName, Item });
    const asked = dynamodb.deleteItem({
      TableName,
      Key: item({ id: '456' }),
      ConditionExpression: 'price between :lo and :hi',
      ExpressionAttributeValues: { ':lo': { N: '500' }, ':hi': { N: '600' } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return { items: await answerOf(asked) };
  },

  'test_gsi_with_billing_mode[PAY_PER_REQUEST]': withIndex({ BillingMode: 'PAY_PER_REQUEST' }, {}),
  'test_gsi_with_billing_mode[PROVISIONED]': withIndex(
    { BillingMode: 'PROVISIONED', ...provisioned },
    { ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } },
  ),

  test_table_crud: async ({ dynamodb, freeName }) => {
    const TableName = freeName();
    return {
      'create-table': await answerOf(dynamodb.createTable({ TableName, ...keyOf('id'), ...provisioned })),
      'describe-table': await described(dynamodb, TableName),
      'delete-table': await answerOf(dynamodb.deleteTable({ TableName })),
      'delete-non-existent-table': await answerOf(dynamodb.deleteTable({ TableName: 'non-existent' })),
    };
  },

  test_streams_on_global_tables: async ({ table, streams }) => {
    const TableName = await table(
      { ...twoKeys('Artist', 'SongTitle'), BillingMode: 'PAY_PER_REQUEST' },
      'NEW_AND_OLD_IMAGES',
    );
    return { 'region-streams': await streams('ListStreams', { TableName }) };
  },
};

export const DYNAMODB_SCENARIOS: Readonly<Record<string, Scenario>> = Object.fromEntries(
  Object.entries(SCENARIOS).map(([name, scenario]) => [`TestDynamoDB::${name}`, scenario]),
);

export const DYNAMODB_LEFT_ASIDE: LeftAside = [
  [
    /transact|idempotent_writing|not_existing_table/,
    'transactions: the app has none, and the host refuses the calls by name',
  ],
  [/execute_|partiql/, 'PartiQL: the app has none, and the host refuses the calls by name'],
  [/kinesis/, 'Kinesis: the host refuses a table that streams to it'],
  [/sse_specification/, 'KMS: the host keeps items in memory and encrypts nothing'],
  [
    /continuous_backup|contributor_insights|warm_throughput/,
    'backups, insights, more warm throughput: templates may ask for them, the host has none and refuses the calls',
  ],
];
