import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import { expect } from '@jest/globals';
import { startLocalHost } from '../../../local/host.ts';
import { writePipes } from './fixtures/pipes.ts';
import type { PipeSetup } from './fixtures/pipes.ts';
import { reEnact } from './re-enact.ts';
import type { Place, Refusal, Scenario } from './re-enact.ts';
import type { LeftAside } from './recorded.ts';
import { answerOf } from './sqs-scenarios.ts';
import { streamsCall } from './streams-call.ts';
import type { StreamsCall } from './streams-call.ts';

/**
 * Goal: what a table's stream says and what becomes of its records is as on AWS.
 * Method: Lambda's mappings of streams were recorded, and the host serves streams to pipes: both hand on the same
 * records, filter by the same patterns and give up in the same words. What functions were invoked with is compared with
 * the messages of a pipe.
 */

type Item = Record<string, AttributeValue>;

interface Account {
  readonly dynamodb: DynamoDB;
  readonly streams: StreamsCall;
  readonly piped: (name: string) => {
    readonly table: string;
    readonly record: () => Promise<unknown>;
    /** The answer of a call that receives the next dead letter. */
    readonly deadLetter: () => Promise<unknown>;
  };
  readonly startWith: (setup: PipeSetup) => Promise<unknown>;
}

const MAPPINGS = 'TestDynamoDBEventSourceMapping::';

interface Filtered {
  readonly name: string;
  readonly pattern: object;
  readonly first: Item;
  readonly second: Item;
  /** How many of the two pass. */
  readonly passed: 1 | 2;
}

const text = (attributes: Readonly<Record<string, string>>): Item =>
  Object.fromEntries(Object.entries(attributes).map(([name, S]) => [name, { S }]));
const id = (value: string, more: Readonly<Record<string, string>> = {}): Item => text({ id: value, ...more });
const newImage = (image: object) => ({ dynamodb: { NewImage: image } });

const FILTERS: readonly Filtered[] = [
  {
    name: 'insert_same_entry_twice',
    pattern: { eventName: ['INSERT'] },
    first: id('id_value', { id2: 'id2_value' }),
    second: id('id_value', { id2: 'id2_value' }),
    passed: 1,
  },
  {
    name: 'content_or_filter',
    pattern: { eventName: ['INSERT', 'MODIFY'] },
    first: id('id_value'),
    second: id('id_value', { id2: 'id2_new_value' }),
    passed: 2,
  },
  {
    name: 'content_multiple_filters',
    pattern: { eventName: ['INSERT'], eventSource: ['aws:dynamodb'] },
    first: id('id_value'),
    second: id('id_value', { id2: 'id2_new_value' }),
    passed: 1,
  },
  {
    name: 'content_filter_type',
    pattern: newImage({ presentKey: { S: ['presentValue'] } }),
    first: id('id_value_1', { presentKey: 'presentValue' }),
    second: id('id_value_2'),
    passed: 1,
  },
  {
    name: 'exists_filter_type',
    pattern: newImage({ presentKey: { S: [{ exists: true }] } }),
    first: id('id_value_1', { presentKey: 'presentValue' }),
    second: id('id_value_2'),
    passed: 1,
  },
  {
    name: 'exists_false_filter',
    pattern: newImage({ presentKey: [{ exists: false }] }),
    first: id('id_value_1'),
    second: id('id_value_2', { presentKey: 'presentValue' }),
    passed: 2,
  },
  {
    name: 'numeric_filter',
    pattern: newImage({ numericFilter: { N: [{ numeric: ['>', 100] }, { 'anything-but': '101' }] } }),
    first: { ...id('id_value_1'), numericFilter: { N: '42' } },
    second: { ...id('id_value_2'), numericFilter: { N: '101' } },
    passed: 1,
  },
  {
    name: 'prefix_filter',
    pattern: newImage({ prefix: { S: [{ prefix: 'us-1' }] } }),
    first: id('id_value_1', { prefix: 'us-1-other-suffix' }),
    second: id('id_value_1', { prefix: 'other-suffix' }),
    passed: 1,
  },
  {
    name: 'date_time_conversion',
    pattern: { dynamodb: { ApproximateCreationDateTime: [{ numeric: ['>', 0] }] } },
    first: id('id_value_1'),
    second: id('id_value_2'),
    passed: 2,
  },
];

const TABLE_V2 = 'TestDynamoDBStreams::test_table_v2_stream';
const MAPPING = `${MAPPINGS}test_dynamodb_event_source_mapping`;
const ON_FAILURE = `${MAPPING}_with_on_failure_destination_config`;
const nameOf = ({ name }: Filtered): string => `${MAPPINGS}test_dynamodb_event_filter[${name}]`;

const SETUPS: Readonly<Record<string, PipeSetup>> = {
  [MAPPING]: { viewType: 'NEW_IMAGE', partitionKey: 'my_partition_key' },
  [ON_FAILURE]: { viewType: 'NEW_IMAGE', partitionKey: 'my_partition_key', isRefused: true },
  [TABLE_V2]: { viewType: 'NEW_AND_OLD_IMAGES', partitionKey: 'id', isGlobal: true },
  ...Object.fromEntries(
    FILTERS.map((filtered) => {
      const pattern = JSON.stringify(filtered.pattern);
      return [nameOf(filtered), { viewType: 'NEW_AND_OLD_IMAGES', partitionKey: 'id', pattern } as const];
    }),
  ),
};

const filtered =
  (filter: Filtered): Scenario<Account> =>
  async ({ dynamodb, piped }) => {
    const { table: TableName, record } = piped(nameOf(filter));
    const put = (Item: Item) => dynamodb.putItem({ TableName, Item });
    await put(filter.first);
    const first = await record();
    await put(filter.second);
    // Records come in order: once this one passed, the second did not.
    if (filter.passed === 1) await put({ ...filter.first, id: { S: 'last' } });
    const second = await record();
    const all = filter.passed === 1 ? [first] : [first, second];
    if (filter.passed === 1) expect(JSON.stringify(second)).toContain('"last"');
    const invocations = all.map((passed) => ({ Records: [passed] }));
    return { 'lambda-log-events': invocations.slice(0, 1), 'lambda-multiple-log-events': invocations };
  };

const SCENARIOS: Readonly<Record<string, Scenario<Account>>> = {
  [MAPPING]: async ({ dynamodb, piped }) => {
    const { table: TableName, record } = piped(MAPPING);
    const Item = { ...text({ my_partition_key: 'hello world' }), binary_key: { B: Buffer.from('foobar') } };
    await dynamodb.putItem({ TableName, Item });
    return { event_logs: [{ Records: [await record()] }] };
  },
  [ON_FAILURE]: async ({ dynamodb, piped }) => {
    const { table: TableName, deadLetter } = piped(ON_FAILURE);
    await dynamodb.putItem({ TableName, Item: text({ my_partition_key: 'hello world' }) });
    return { destination_queue_messages: await deadLetter() };
  },
  ...Object.fromEntries(FILTERS.map((filter) => [nameOf(filter), filtered(filter)])),
};

const BODY = 'destination_queue_messages.Messages[0].Body';
const ANOTHER_WORD = 'recorded of a mapping: a pipe names itself in `context`, and knows no function';

const withPattern = (pattern: string): Refusal<Account> => ({
  ask: ({ startWith }) => startWith({ viewType: 'NEW_IMAGE', partitionKey: 'id', pattern }),
  reason: 'FilterCriteria.Filters[0].Pattern',
});

const REFUSALS: Readonly<Record<string, Refusal<Account>>> = {
  [`${MAPPINGS}test_dynamodb_invalid_event_filter[single-string]`]: withPattern('single-string'),
  [`${MAPPINGS}test_dynamodb_invalid_event_filter[[{"eventName": ["INSERT"=123}]]`]: withPattern(
    '[{"eventName": ["INSERT"=123}]',
  ),
  [`${MAPPINGS}test_esm_with_not_existing_dynamodb_stream`]: {
    ask: ({ startWith }) =>
      startWith({
        viewType: 'NEW_IMAGE',
        partitionKey: 'id',
        source: 'arn:aws:dynamodb:us-east-1:000000000000:table/test-table/stream/2025-02-22T03:03:25.490',
      }),
    reason: 'names no stream',
  },
};

const MAPPINGS_LEFT_ASIDE: LeftAside = [
  [
    /report_batch_item/,
    'a function of a stream that reports failures: streams go to pipes here, and those to queues',
  ],
  [/disabled|deletion|duplicate/, 'calls of the Lambda API: mappings and pipes come from templates'],
  [/sns_on_failure|s3_on_failure/, 'dead letters in SNS or S3: the host refuses a pipe that has them'],
];

const STREAMS_LEFT_ASIDE: LeftAside = [[/kinesis/, 'Kinesis: the host refuses a table that streams to it']];

/** By the name of the test that AWS answered. */
const STREAM_SCENARIOS: Readonly<Record<string, Scenario<Account>>> = {
  [TABLE_V2]: async ({ dynamodb, piped }) => {
    const { Table, $metadata } = await dynamodb.describeTable({ TableName: piped(TABLE_V2).table });
    const ResponseMetadata = { HTTPHeaders: {}, HTTPStatusCode: $metadata.httpStatusCode };
    return { 'global-table-v2': { Table, ResponseMetadata } };
  },
  'TestDynamoDBStreams::test_non_existent_stream': async ({ streams }) => {
    const StreamArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2024-11-18T14:36:44.149';
    return { 'non-existent-stream': await streams('DescribeStream', { StreamArn }) };
  },
};

reEnact(
  {
    title: 'DynamoDB streams',
    file: 'test_dynamodb_streams.snapshot.json',
    scenarios: STREAM_SCENARIOS,
    leftAside: STREAMS_LEFT_ASIDE,
    known: {},
  },
  startPlace,
);
reEnact(
  {
    title: 'records of streams, by pipes',
    file: 'test_lambda_integration_dynamodbstreams.snapshot.json',
    scenarios: SCENARIOS,
    refusals: REFUSALS,
    leftAside: MAPPINGS_LEFT_ASIDE,
    known: {
      [`${BODY}.requestContext`]: ANOTHER_WORD,
      [`${BODY}.responseContext`]: ANOTHER_WORD,
      [`${BODY}.context`]: ANOTHER_WORD,
    },
  },
  startPlace,
);

async function startPlace(): Promise<Place<Account>> {
  const folder = mkdtempSync(join(tmpdir(), 'recorded-streams-'));
  const names = Object.keys(SETUPS);
  const idOf = (name: string): string => `Scenario${names.indexOf(name)}`;
  const setups = Object.fromEntries(Object.entries(SETUPS).map(([name, setup]) => [idOf(name), setup]));
  const hostOf = (assembly: string) => startLocalHost({ assembly, port: 0, awsPort: 0 });
  const host = await hostOf(writePipes(join(folder, 'all'), setups));
  const client = {
    region: 'us-east-1',
    endpoint: host.awsEndpoint,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
  };
  const [dynamodb, sqs] = [new DynamoDB(client), new SQS(client)];
  let others = 0;
  return {
    account: () => ({
      dynamodb,
      streams: streamsCall(host.awsEndpoint),
      piped: (name) => {
        const outputs = host.outputs['Pipes'] ?? {};
        const receive = (queue: string) => {
          const QueueUrl = outputs[`${idOf(name)}${queue}`];
          return sqs.receiveMessage({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 1 });
        };
        return {
          table: outputs[`${idOf(name)}Table`] ?? '',
          record: async () => JSON.parse((await receive('Target')).Messages?.[0]?.Body ?? ''),
          deadLetter: () => answerOf(receive('DeadLetters')),
        };
      },
      startWith: async (setup) => {
        const another = await hostOf(writePipes(join(folder, `other-${(others += 1)}`), { Other: setup }));
        await another.stop();
      },
    }),
    stop: async () => {
      dynamodb.destroy();
      sqs.destroy();
      await host.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
