/** Lambda: functions in worker threads, and the pollers that feed them from queues. */
export type { FunctionDefinition, Invocation, LambdaEvent } from './function-definition.ts';
export { FunctionPool } from './function-pool.ts';
export { mayWriteLogs } from './provision-function.ts';
export { LAMBDA_TYPES } from './resources.ts';
