/** Amazon SQS: queues, receipts, move tasks. */
export { SQS_TYPES } from './resources.ts';
export { createSqs } from './sqs.ts';
