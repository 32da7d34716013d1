/** EventBridge Pipes, from DynamoDB streams to SQS queues. */
export type { HostedPipe } from './provision-pipe.ts';
export { PIPES_TYPES } from './resources.ts';
