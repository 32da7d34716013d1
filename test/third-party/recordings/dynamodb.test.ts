import { DynamoDB } from '@aws-sdk/client-dynamodb';
import type { JsonObject } from '../../../local/template/template.ts';
import { startEngines } from '../../local/dynamodb/engines.ts';
import { DYNAMODB_LEFT_ASIDE, DYNAMODB_SCENARIOS } from './dynamodb-scenarios.ts';
import type { Account } from './dynamodb-scenarios.ts';
import { reEnact } from './re-enact.ts';
import type { Place } from './re-enact.ts';
import { streamsCall } from './streams-call.ts';

/**
 * Goal: DynamoDB answers a program here as AWS does.
 * Method: what a test did on AWS is done here, by the SDK; its answers are compared field by field with those recorded.
 */

reEnact(
  {
    title: 'DynamoDB',
    file: 'test_dynamodb.snapshot.json',
    scenarios: DYNAMODB_SCENARIOS,
    leftAside: DYNAMODB_LEFT_ASIDE,
    known: {},
  },
  startAccount,
);

async function startAccount(): Promise<Place<Account>> {
  const { dynamoDb, endpoint, stop } = await startEngines();
  const dynamodb = new DynamoDB({
    region: 'us-east-1',
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  let tables = 0;
  const freeName = (): string => `test_table_${(tables += 1)}`;
  const table: Account['table'] = async (request = {}, viewType) => {
    const TableName = freeName();
    const whole: JsonObject = JSON.parse(
      JSON.stringify({
        TableName,
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        ...('BillingMode' in request
          ? {}
          : { ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } }),
        ...request,
      }),
    );
    await dynamoDb.createTable(whole);
    if (viewType !== undefined) {
      const keyNames = (request.KeySchema ?? []).map((key) => key.AttributeName ?? '');
      dynamoDb.streams.enable({ tableName: TableName, keyNames, viewType });
    }
    return TableName;
  };
  return {
    account: () => ({ dynamodb, streams: streamsCall(endpoint.url), table, freeName }),
    stop: async () => {
      dynamodb.destroy();
      await stop();
    },
  };
}
