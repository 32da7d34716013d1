/** The AWS endpoint: who calls, what is called, and how a refusal looks. */
export { AwsCallError, type CallAws } from './call-aws.ts';
export { createCredentialStore, type RoleCredentials, type RoleSession, sessionArn } from './caller.ts';
export type { Authorize } from './dispatcher.ts';
export { startAwsEndpoint } from './endpoint.ts';
export { awsError, unservedText } from './refusals.ts';
export type {
  AwsAnswer,
  AwsCall,
  AwsHandler,
  AwsService,
  Interceptor,
  NeededAccess,
  RestService,
} from './service.ts';
