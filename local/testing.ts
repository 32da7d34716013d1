/** What puts faults between a program and the services of the local host. */
export { awsError } from './endpoint/index.ts';
export type { AwsAnswer, AwsCall, Interceptor } from './endpoint/index.ts';
