import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import {
  createCredentialStore,
  startAwsEndpoint,
  type Authorize,
  type Interceptor,
} from '../../../local/endpoint/index.ts';
import { createDynamoDb } from '../../../local/dynamodb/dynamodb.ts';
import { createSqs } from '../../../local/sqs/sqs.ts';
import type { UsageMeter } from '../../../local/usage.ts';

const accountId = '000000000000';
const region = 'us-east-1';

/** The AWS endpoint with its engines, without a template, on a port of its own; and SDK clients that call it. */
export async function startEngines(
  options: {
    readonly authorize?: Authorize;
    readonly interceptors?: readonly Interceptor[];
    readonly onConsumed?: UsageMeter['onConsumed'];
  } = {},
) {
  const { onConsumed, ...endpointOptions } = options;
  const credentials = createCredentialStore();
  const endpoint = await startAwsEndpoint({ port: 0, credentials, ...endpointOptions });
  const dynamoDb = createDynamoDb({ accountId, region, ...(onConsumed === undefined ? {} : { onConsumed }) });
  const sqs = createSqs();
  for (const service of [...dynamoDb.services, sqs.service]) endpoint.addService(service);
  const client = {
    region,
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'secret' },
    maxAttempts: 1,
  };
  const sqsClient = new SQS(client);
  const dynamoDbClient = new DynamoDB(client);
  return {
    credentials,
    endpoint,
    dynamoDb,
    sqs,
    sqsClient,
    dynamoDbClient,
    createQueue: (queueName: string, attributes: Readonly<Record<string, string>> = {}) => {
      const queue = {
        queueName,
        queueUrl: `${endpoint.url}/${accountId}/${queueName}`,
        queueArn: `arn:aws:sqs:${region}:${accountId}:${queueName}`,
      };
      sqs.createQueue(queue, attributes);
      return queue;
    },
    stop: async () => {
      sqs.stop();
      sqsClient.destroy();
      dynamoDbClient.destroy();
      await endpoint.stop();
    },
  };
}
