import { SQSClient } from '@aws-sdk/client-sqs';

/** Gives up on a lost connection long before a function's timeout, and tries again. */
export function createSqsClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
}
