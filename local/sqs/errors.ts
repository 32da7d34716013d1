import { awsError, type AwsAnswer } from '../endpoint/index.ts';

export class SqsError extends Error {
  /** From the older protocol, without a prefix. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The older protocol calls these `AWS.SimpleQueueService.…`. Source: `awsQueryError` in the service's model. */
const PREFIXED = new Set([
  'BatchEntryIdsNotDistinct',
  'BatchRequestTooLong',
  'EmptyBatchRequest',
  'InvalidBatchEntryId',
  'MessageNotInflight',
  'NonExistentQueue',
  'PurgeQueueInProgress',
  'TooManyEntriesInBatchRequest',
  'UnsupportedOperation',
]);

/** Where the JSON protocol uses another name. Source: answers of AWS. */
const TYPES: Readonly<Record<string, string>> = {
  InvalidParameterValue: 'com.amazon.coral.service#InvalidParameterValueException',
  MissingParameter: 'com.amazon.coral.service#MissingRequiredParameterException',
  NonExistentQueue: 'com.amazonaws.sqs#QueueDoesNotExist',
};

const STATUSES: Readonly<Record<string, number>> = {
  PurgeQueueInProgress: 403,
  ReceiptHandleIsInvalid: 404,
  ResourceNotFoundException: 404,
};

export function refusalOf(error: unknown): AwsAnswer {
  if (!(error instanceof Error && 'code' in error)) {
    const reason = error instanceof Error ? error.message : String(error);
    return awsError('com.amazonaws.sqs#InternalError', `fauxqs failed: ${reason}`, 500);
  }
  const code = String(error.code);
  const prefix = PREFIXED.has(code) ? 'AWS.SimpleQueueService.' : '';
  return {
    ...awsError(TYPES[code] ?? `com.amazonaws.sqs#${code}`, error.message, STATUSES[code] ?? 400),
    // Clients of SQS's older protocol read this code.
    headers: { 'x-amzn-query-error': `${prefix}${code};Sender` },
  };
}
