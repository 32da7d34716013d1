import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * A client that gives up on a lost connection long before a function's timeout, and tries again. Throttling and
 * transient faults are normal answers of DynamoDB: the SDK retries them with backoff and jitter.
 */
export function createDynamoDbClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
}

/** True if a conditional write found its condition false. */
export function isConditionFailed(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** Waits for a conditional write. @returns undefined if its condition was false, so that nothing was written */
export async function ifConditionHolds<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isConditionFailed(error)) return undefined;
    throw error;
  }
}
