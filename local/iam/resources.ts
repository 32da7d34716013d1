import { description, honours, inert, refused, tagList, type ResourceTypes } from '../template/index.ts';
import { provisionManagedPolicy, provisionPolicy, provisionRole, type PolicyWorld } from './provision-iam.ts';

export const IAM_TYPES: ResourceTypes<PolicyWorld> = {
  'AWS::IAM::Role': {
    provision: provisionRole,
    properties: {
      ...honours(
        'RoleName AssumeRolePolicyDocument ManagedPolicyArns Policies[].PolicyName',
        'Policies[].PolicyDocument PermissionsBoundary',
      ),
      Path: inert('Roles here have no path.'),
      Description: description,
      MaxSessionDuration: inert('Credentials here do not expire.'),
      ...tagList(),
    },
  },
  'AWS::IAM::Policy': {
    provision: provisionPolicy,
    properties: {
      ...honours('PolicyName PolicyDocument Roles'),
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
  'AWS::IAM::ManagedPolicy': {
    provision: provisionManagedPolicy,
    properties: {
      ...honours('ManagedPolicyName PolicyDocument Roles'),
      Description: description,
      Path: inert('Policies here have no path.'),
      Groups: refused('There are no groups of users here.'),
      Users: refused('There are no users here.'),
    },
  },
};
