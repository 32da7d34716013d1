import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Gives up on a lost connection long before a function's timeout, and tries again. */
export function createDynamoDbClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
}
