import { awsError, type AwsAnswer, type AwsService } from '../endpoint/aws-service.ts';
import { unservedText } from '../endpoint/unserved-call.ts';
import { textAt } from '../template/index.ts';
import type { UserPool } from './user-pool.ts';

/** Amazon Cognito's API on the AWS endpoint: finds the user pool a call is for, and hands it over. */
export function serveUserPools(userPools: ReadonlyMap<string, UserPool>): AwsService {
  return ({ action, request }) => {
    if (action === 'ListUserPools') return Promise.resolve(listed(userPools));
    const userPoolId = textAt(request, 'UserPoolId');
    const clientId = textAt(request, 'ClientId');
    const pools = [...userPools.values()];
    const pool =
      userPoolId === undefined
        ? pools.find((candidate) => clientId !== undefined && candidate.hasClient(clientId))
        : userPools.get(userPoolId);
    if (pool !== undefined) return pool.handleAws(action, request);
    return Promise.resolve(missing(action, userPoolId, clientId));
  };
}

/** A page of all: no app has as many as AWS puts on one. */
function listed(userPools: ReadonlyMap<string, UserPool>): AwsAnswer {
  return { status: 200, body: { UserPools: [...userPools.keys()].map((Id) => ({ Id })) } };
}

function missing(action: string, userPoolId: string | undefined, clientId: string | undefined): AwsAnswer {
  if (userPoolId !== undefined) {
    return awsError('ResourceNotFoundException', `User pool ${userPoolId} does not exist.`);
  }
  return clientId === undefined
    ? awsError('UnknownOperationException', unservedText(action, 'cognito-idp'))
    : awsError('ResourceNotFoundException', `User pool client ${clientId} does not exist.`);
}
