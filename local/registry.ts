import { API_GATEWAY_TYPES } from './api-gateway/resources.ts';
import { COGNITO_TYPES } from './cognito/resources.ts';
import { DYNAMODB_TYPES } from './dynamodb/resources.ts';
import { IAM_TYPES } from './iam/resources.ts';
import { INERT_TYPES } from './inert.ts';
import { LAMBDA_TYPES } from './lambda/index.ts';
import { PIPES_TYPES } from './pipes/resources.ts';
import { SCHEDULER_TYPES } from './scheduler/resources.ts';
import { SQS_TYPES } from './sqs/resources.ts';

/** Every type of resource that the host has heard of. */
export const RESOURCE_TYPES = {
  ...DYNAMODB_TYPES,
  ...SQS_TYPES,
  ...LAMBDA_TYPES,
  ...IAM_TYPES,
  ...SCHEDULER_TYPES,
  ...API_GATEWAY_TYPES,
  ...COGNITO_TYPES,
  ...PIPES_TYPES,
  ...INERT_TYPES,
};
