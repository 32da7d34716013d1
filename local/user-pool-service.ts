import { awsError } from './aws-service.ts';
import type { AwsService } from './aws-service.ts';
import { textAt } from './template.ts';
import type { UserPool } from './user-pool.ts';

/** Amazon Cognito's API on the AWS endpoint: finds the user pool a call is for, and hands it over. */
export function serveUserPools(userPools: ReadonlyMap<string, UserPool>): AwsService {
  return ({ action, request }) => {
    const userPoolId = textAt(request, 'UserPoolId');
    const clientId = textAt(request, 'ClientId');
    const pools = [...userPools.values()];
    const pool =
      userPoolId === undefined
        ? pools.find((candidate) => clientId !== undefined && candidate.hasClient(clientId))
        : userPools.get(userPoolId);
    if (pool !== undefined) return pool.handleAws(action, request);
    return Promise.resolve(
      userPoolId === undefined
        ? awsError('ResourceNotFoundException', `User pool client ${clientId ?? ''} does not exist.`)
        : awsError('ResourceNotFoundException', `User pool ${userPoolId} does not exist.`),
    );
  };
}
