import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createCredentialStore, startAwsEndpoint, type AwsCall } from '../../../local/endpoint/index.ts';
import { startEngines } from '../dynamodb/engines.ts';

const run = promisify(execFile);
const TableName = 'Things';

const calls: AwsCall[] = [];

const engines = await startEngines({
  authorize: (call) => {
    calls.push(call);
    return call.action === 'DeleteTable'
      ? { allowed: false, message: 'User is not authorized to perform: dynamodb:DeleteTable' }
      : { allowed: true };
  },
});
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
});
afterAll(() => engines.stop());

async function post(target: string, body: string) {
  const response = await fetch(engines.endpoint.url, {
    method: 'POST',
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' },
    body,
  });
  return { status: response.status, body: await response.text() };
}

test('the caller is the role that signs; any other credentials are the operator', async () => {
  const roleArn = 'arn:aws:iam::000000000000:role/writer';
  const client = new DynamoDB({
    region: 'us-east-1',
    endpoint: engines.endpoint.url,
    credentials: engines.credentials.credentialsOf(roleArn, 'test'),
  });
  await client.putItem({ TableName, Item: { id: { S: 'mine' } } });
  expect(calls.at(-1)).toMatchObject({
    service: 'dynamodb',
    action: 'PutItem',
    request: { TableName, Item: { id: { S: 'mine' } } },
    caller: { kind: 'role', roleArn, sessionName: 'test' },
  });
  await engines.dynamoDbClient.getItem({ TableName, Key: { id: { S: 'mine' } } });
  expect(calls.at(-1)).toMatchObject({ action: 'GetItem', caller: { kind: 'operator' } });
  client.destroy();
});

test('a session of a role keeps its credentials, and no two share any', () => {
  const sessions = ['a 1', 'a 1', 'b 1', 'a 2'].map((session) => {
    const [role = '', sessionName = ''] = session.split(' ');
    return engines.credentials.credentialsOf(role, sessionName);
  });
  expect(sessions[0]).toEqual(sessions[1]);
  expect(new Set(sessions.map(({ accessKeyId }) => accessKeyId)).size).toBe(3);
});

test('a call that is not allowed reaches no engine', async () => {
  const answer = await post('DynamoDB_20120810.DeleteTable', JSON.stringify({ TableName }));
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({
    __type: 'com.amazon.coral.service#AccessDeniedException',
  });
  expect((await post('DynamoDB_20120810.DescribeTable', JSON.stringify({ TableName }))).status).toBe(200);
});

test.each([
  ['a service nobody has', 'Kinesis_20131202.PutRecord', '{}', 'UnknownOperationException'],
  ['an operation nobody has', 'DynamoDB_20120810.Dance', '{}', 'UnknownOperationException'],
  ['no target at all', '', '{}', 'UnknownOperationException'],
  ['a served service without an operation', 'AmazonSQS', '{}', 'UnknownOperationException'],
  ['a body that is no JSON', 'DynamoDB_20120810.GetItem', '{', 'SerializationException'],
  ['a body that is no object', 'AmazonSQS.ListQueues', '[]', 'SerializationException'],
])('%s is refused as AWS refuses', async (_, target, body, type) => {
  const answer = await post(target, body);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({
    __type: expect.stringContaining(type),
    message: expect.any(String),
  });
});

const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=key/20261124/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=x`,
});

test.each<[string, string, string, Record<string, string>, string, string]>([
  [
    'REST',
    'GET',
    '/2015-03-31/functions/?MaxItems=5',
    signedFor('lambda'),
    '',
    'lambda: GET /2015-03-31/functions/.',
  ],
  [
    'JSON',
    'POST',
    '/',
    { ...signedFor('logs'), 'x-amz-target': 'Logs_20140328.DescribeLogGroups' },
    '{}',
    'logs: DescribeLogGroups.',
  ],
  [
    'REST with XML',
    'GET',
    '/',
    signedFor('s3'),
    '',
    'Code><Message>The local AWS endpoint does not serve s3: GET /.<',
  ],
  [
    'REST with XML in another root',
    'GET',
    '/2013-04-01/hostedzone',
    signedFor('route53'),
    '',
    '<ErrorResponse><Error><Type>Sender</Type><Code>UnknownOperationException</Code><Message>The local AWS endpoint does not serve route53: GET /2013-04-01/hostedzone.<',
  ],
  [
    'form',
    'POST',
    '/',
    { ...signedFor('sns'), 'content-type': 'application/x-www-form-urlencoded' },
    'Action=ListTopics<',
    'Code><Message>The local AWS endpoint does not serve sns: ListTopics.<',
  ],
  [
    'CBOR',
    'POST',
    '/service/GraniteServiceVersion20100801/operation/ListMetrics',
    { ...signedFor('monitoring'), 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
    '\u00a0',
    'monitoring: ListMetrics.',
  ],
])(
  'a call in the %s protocol of a service that is not served names both',
  async (_, method, path, headers, body, said) => {
    const response = await fetch(`${engines.endpoint.url}${path}`, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(said);
  },
);

test('the AWS CLI works on it', async () => {
  const aws = async (...words: readonly string[]): Promise<unknown> => {
    const { stdout } = await run(
      'aws',
      ['--endpoint-url', engines.endpoint.url, '--output', 'json', ...words],
      {
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: 'x',
          AWS_SECRET_ACCESS_KEY: 'y',
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_PAGER: '',
        },
      },
    );
    return stdout === '' ? undefined : JSON.parse(stdout);
  };
  const isInstalled = await run('aws', ['--version']).then(
    () => true,
    () => false,
  );
  if (!isInstalled) {
    process.stderr.write('The AWS CLI is not installed: what it does on the endpoint was not tested.\n');
    // eslint-disable-next-line jest/no-conditional-expect
    expect(isInstalled).toBe(false);
    return;
  }
  const { queueUrl } = engines.createQueue('by-hand');
  await engines.sqsClient.sendMessage({ QueueUrl: queueUrl, MessageBody: 'x' });
  await engines.dynamoDbClient.putItem({ TableName, Item: { id: { S: 'by hand' } } });
  const [scan, attributes, identity] = await Promise.all([
    aws('dynamodb', 'scan', '--table-name', TableName),
    aws(
      'sqs',
      'get-queue-attributes',
      '--attribute-names',
      'All',
      '--queue-url',
      queueUrl.replace('localhost', '127.0.0.1'),
    ),
    aws('sts', 'get-caller-identity'),
  ]);
  expect(scan).toMatchObject({ Items: expect.arrayContaining([{ id: { S: 'by hand' } }]) });
  expect(attributes).toMatchObject({ Attributes: { ApproximateNumberOfMessages: '1' } });
  expect(identity).toMatchObject({ Account: '000000000000' });
});

describe('the address it listens on', () => {
  const start = async (address?: string) =>
    startAwsEndpoint({
      port: 0,
      credentials: createCredentialStore(),
      ...(address === undefined ? {} : { address }),
    });
  // Where this machine has no other address, another one of the loopback's must do.
  const another =
    Object.values(networkInterfaces())
      .flat()
      .find((found) => found?.family === 'IPv4' && !found.internal)?.address ?? '127.0.0.2';
  const answersAt = async (host: string, url: string): Promise<boolean> =>
    fetch(url.replace('localhost', host)).then(
      ({ status }) => status === 400,
      () => false,
    );

  test('is of no other machine, unless it is told', async () => {
    const endpoint = await start();
    expect([await answersAt('127.0.0.1', endpoint.url), await answersAt(another, endpoint.url)]).toEqual([
      true,
      false,
    ]);
    await endpoint.stop();
  });

  test.each([another, '0.0.0.0'])('may be %s as well, on the same port, until it stops', async (address) => {
    const endpoint = await start(address);
    for (const host of ['127.0.0.1', another]) expect(await answersAt(host, endpoint.url)).toBe(true);
    await endpoint.stop();
    for (const host of ['127.0.0.1', another]) expect(await answersAt(host, endpoint.url)).toBe(false);
  });

  test('that is none of this machine is an error, and leaves nothing listening', async () => {
    await expect(start('192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});
