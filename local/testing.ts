/** For faults between a program and the services of the host. */
export { awsError } from './endpoint/index.ts';
export type { AwsAnswer, AwsCall, Interceptor } from './endpoint/index.ts';
