/** What puts faults between a program and the services of the local host. */
export { awsError } from './endpoint/aws-service.ts';
export type { AwsAnswer, AwsCall, Interceptor } from './endpoint/aws-service.ts';
