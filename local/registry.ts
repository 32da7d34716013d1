import { API_GATEWAY_TYPES } from './api-gateway/index.ts';
import { COGNITO_TYPES } from './cognito/index.ts';
import { DYNAMODB_TYPES } from './dynamodb/index.ts';
import { IAM_TYPES } from './iam/index.ts';
import { INERT_TYPES } from './inert.ts';
import { LAMBDA_TYPES } from './lambda/index.ts';
import { PIPES_TYPES } from './pipes/index.ts';
import { SCHEDULER_TYPES } from './scheduler/index.ts';
import { SQS_TYPES } from './sqs/index.ts';
import type { Provision, ResourceTypes } from './template/index.ts';

const GATHERED = {
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

/** What the provisioners of all folders touch together; none sees more than its own part. */
type World = (typeof GATHERED)[string]['provision'] extends Provision<infer Parts> ? Parts : never;

/** Every type of resource that the host has heard of. */
export const RESOURCE_TYPES: ResourceTypes<World> = GATHERED;
