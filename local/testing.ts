/** For faults between a program and the services of the host. */
export { awsError } from './endpoint/index.ts';
export type { AwsAnswer, AwsCall, Interceptor } from './endpoint/index.ts';
/** DynamoDB's rules without its host, for simulated time. */
export { createDynalite, createItemStore, runOnItems } from './dynamodb/index.ts';
export type { CheckedRequest, ItemChange, TableDescription } from './dynamodb/index.ts';
