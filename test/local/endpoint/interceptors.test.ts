import { DynamoDB, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { awsError, type Interceptor } from '../../../local/endpoint/index.ts';
import { startEngines } from '../dynamodb/engines.ts';

/** Goal: whatever comes to the endpoint can be watched, held up, refused before its effect and refused after it. */

const TableName = 'Things';
const seen: string[] = [];
let fault: Interceptor = (_, proceed) => proceed();

const engines = await startEngines({
  authorize: ({ action }) =>
    action === 'DeleteItem' ? { allowed: false, message: 'No.' } : { allowed: true },
  interceptors: [
    async (call, proceed) => {
      seen.push(`${call.service}:${call.action}`);
      const answer = await proceed();
      seen.push(String(answer.status));
      return answer;
    },
    (call, proceed) => fault(call, proceed),
  ],
});
await engines.dynamoDb.createTable({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
});
afterEach(() => {
  seen.length = 0;
  fault = (_, proceed) => proceed();
});
afterAll(() => engines.stop());

const put = (id: string): PutItemCommand => new PutItemCommand({ TableName, Item: { id: { S: id } } });
const stored = async (id: string) =>
  (await engines.dynamoDbClient.getItem({ TableName, Key: { id: { S: id } } })).Item;

test('every call is seen, of whatever service, over HTTP and from within the host', async () => {
  const { queueUrl } = engines.createQueue('seen');
  await engines.dynamoDbClient.send(put('seen'));
  await engines.sqsClient.receiveMessage({ QueueUrl: queueUrl });
  const callAws = engines.endpoint.callAs('arn:aws:iam::000000000000:role/poller', 'test');
  await callAws('AmazonSQS.SendMessage', { QueueUrl: queueUrl, MessageBody: 'x' });
  expect(seen).toEqual([
    ...['dynamodb:PutItem', '200'],
    ...['sqs:ReceiveMessage', '200'],
    ...['sqs:SendMessage', '200'],
  ]);
});

test('what is not allowed is not seen', async () => {
  const callAws = engines.endpoint.callAs('arn:aws:iam::000000000000:role/poller', 'test');
  const denied = callAws('DynamoDB_20120810.DeleteItem', { TableName, Key: { id: { S: 'x' } } });
  await expect(denied).rejects.toThrow('No.');
  expect(seen).toEqual([]);
});

test('a call that is answered in the place of the service has no effect', async () => {
  fault = () => Promise.resolve(awsError('ThrottlingException', 'Rate exceeded'));
  await expect(engines.dynamoDbClient.send(put('before'))).rejects.toThrow('Rate exceeded');
  expect(seen).toEqual(['dynamodb:PutItem', '400']);
  fault = (_, proceed) => proceed();
  expect(await stored('before')).toBeUndefined();
});

test('a call whose answer is lost has taken effect', async () => {
  fault = async (_, proceed) => {
    await proceed();
    return awsError('InternalServerError', 'Lost on the way', 500);
  };
  await expect(engines.dynamoDbClient.send(put('after'))).rejects.toThrow('Lost on the way');
  fault = (_, proceed) => proceed();
  expect(await stored('after')).toEqual({ id: { S: 'after' } });
});

test('a call can go on with another request', async () => {
  fault = ({ request }, proceed) => proceed({ ...request, Item: { id: { S: 'instead' } } });
  await engines.dynamoDbClient.send(put('asked'));
  fault = (_, proceed) => proceed();
  expect(await stored('asked')).toBeUndefined();
  expect(await stored('instead')).toEqual({ id: { S: 'instead' } });
});

test('a call can be tried again by the caller when it failed once', async () => {
  let failures = 0;
  fault = (_, proceed) => {
    failures += 1;
    return failures === 1 ? Promise.resolve(awsError('InternalServerError', 'Once', 500)) : proceed();
  };
  const patient = new DynamoDB({
    region: 'us-east-1',
    endpoint: engines.endpoint.url,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 2,
  });
  await patient.send(put('again'));
  patient.destroy();
  expect(failures).toBe(2);
});
