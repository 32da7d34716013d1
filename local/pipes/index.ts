/** EventBridge Pipes, from DynamoDB streams to SQS queues. */
export type { PipeEvent } from './delivery.ts';
export { PIPES_TYPES } from './resources.ts';
