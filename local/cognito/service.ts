import { awsError, unservedText, type AwsAnswer, type AwsService } from '../endpoint/index.ts';
import { textAt } from '../template/index.ts';
import type { UserPool } from './user-pool.ts';

/** Operations that the clients' users call without credentials of AWS. */
const UNAUTHENTICATED: ReadonlySet<string> = new Set([
  'ConfirmForgotPassword',
  'ConfirmSignUp',
  'ForgotPassword',
  'GetTokensFromRefreshToken',
  'GetUser',
  'GlobalSignOut',
  'InitiateAuth',
  'ResendConfirmationCode',
  'RespondToAuthChallenge',
  'RevokeToken',
  'SignUp',
]);

/** Amazon Cognito's API on the AWS endpoint: finds the user pool of a call, and hands the call over. */
export function serveUserPools(userPools: ReadonlyMap<string, UserPool>): AwsService {
  return {
    target: 'AWSCognitoIdentityProviderService',
    service: 'cognito-idp',
    neededAccess: ({ action, request }, { accountId, region }) => {
      if (UNAUTHENTICATED.has(action)) return [];
      const id = textAt(request, 'UserPoolId');
      const resourceArn =
        id === undefined ? '*' : `arn:aws:cognito-idp:${region}:${accountId}:userpool/${id}`;
      return [{ action: `cognito-idp:${action}`, resourceArn }];
    },
    handle: async ({ action, request }) => {
      if (action === 'ListUserPools') {
        // On one page: no app has as many as AWS puts on one.
        return { status: 200, body: { UserPools: [...userPools.keys()].map((Id) => ({ Id })) } };
      }
      const userPoolId = textAt(request, 'UserPoolId');
      const clientId = textAt(request, 'ClientId');
      const pool =
        userPoolId === undefined
          ? [...userPools.values()].find((each) => clientId !== undefined && each.hasClient(clientId))
          : userPools.get(userPoolId);
      return pool?.handleAws(action, request) ?? missing(action, userPoolId, clientId);
    },
  };
}

function missing(action: string, userPoolId: string | undefined, clientId: string | undefined): AwsAnswer {
  if (userPoolId !== undefined) {
    return awsError('ResourceNotFoundException', `User pool ${userPoolId} does not exist.`);
  }
  return clientId === undefined
    ? awsError('UnknownOperationException', unservedText(action, 'cognito-idp'))
    : awsError('ResourceNotFoundException', `User pool client ${clientId} does not exist.`);
}
