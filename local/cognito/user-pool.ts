import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { awsError, unservedText, type AwsAnswer, type AwsService } from '../endpoint/index.ts';
import { isJsonObject, objectAt, textAt, type JsonObject } from '../template/index.ts';
import { secretHashMatches, type UserPoolClientDefinition } from './client.ts';
import { createUserPoolHttp } from './http.ts';
import { createTokenSigner, userSubject, type TokenSigner } from './tokens.ts';
import { CognitoError, createUserStore, requiredText, type PasswordPolicy } from './users.ts';

/** Any well-formed name signs in with any password. An administrator can add users, as on AWS. */
export interface UserPool {
  readonly userPoolId: string;
  readonly issuer: string;
  addClient(client: UserPoolClientDefinition): void;
  hasClient(clientId: string): boolean;
  keys(): JWTVerifyGetKey;
  /** Discovery, keys and `POST /oauth2/token`. @param path what follows the issuer's URL */
  handleHttp(request: IncomingMessage, response: ServerResponse, path: string): void;
  /** @param action without the service's prefix */
  handleAws(action: string, body: unknown): Promise<AwsAnswer>;
  /** Signs exactly these claims, for tests of tokens that must be refused. */
  signForTest(claims: JWTPayload, header?: { readonly kid?: string }): Promise<string>;
}

export interface UserPoolOptions {
  readonly userPoolId: string;
  /** Without a trailing slash. */
  readonly issuer: string;
  readonly passwordPolicy?: PasswordPolicy;
}

const USER_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PASSWORD_FLOWS: readonly string[] = ['ALLOW_USER_PASSWORD_AUTH', 'USER_PASSWORD_AUTH'];
/** Cognito's default, whatever the template says: nothing here redeems a refresh token. */
const REFRESH_TOKEN_VALIDITY_DAYS = 30;

export async function createUserPool(options: UserPoolOptions): Promise<UserPool> {
  const { userPoolId, issuer, passwordPolicy } = options;
  const clients = new Map<string, UserPoolClientDefinition>();
  const createdAt = new Date();
  const signer = await createTokenSigner(userPoolId, issuer);
  const users = createUserStore((userName) => userSubject(userPoolId, userName), passwordPolicy);

  const clientOf = (parameters: JsonObject): UserPoolClientDefinition => {
    const clientId = requiredText(parameters, 'ClientId');
    const client = clients.get(clientId);
    if (client) return client;
    throw new CognitoError('ResourceNotFoundException', `User pool client ${clientId} does not exist.`);
  };

  const perform = async (action: string, parameters: unknown): Promise<unknown> => {
    if (!isJsonObject(parameters)) {
      throw new CognitoError('SerializationException', 'The request body is not a JSON object.');
    }
    if (action === 'InitiateAuth') return signedIn(signer, clientOf, parameters);
    if (action === 'DescribeUserPoolClient') {
      const requestedPoolId = requiredText(parameters, 'UserPoolId');
      if (requestedPoolId !== userPoolId) {
        throw new CognitoError('ResourceNotFoundException', `User pool ${requestedPoolId} does not exist.`);
      }
      return { UserPoolClient: described(userPoolId, clientOf(parameters), createdAt) };
    }
    const ofUsers = users[action];
    if (ofUsers !== undefined) return ofUsers(parameters);
    throw new CognitoError('UnknownOperationException', unservedText(action, 'cognito-idp'));
  };

  return {
    userPoolId,
    issuer,
    addClient: (client) => void clients.set(client.clientId, client),
    hasClient: (clientId) => clients.has(clientId),
    keys: () => signer.keys,
    handleHttp: createUserPoolHttp({ issuer, signer, findClient: (clientId) => clients.get(clientId) }),
    handleAws: async (action, body) => {
      try {
        return { status: 200, body: await perform(action, body) };
      } catch (error) {
        if (!(error instanceof CognitoError)) throw error;
        return { status: 400, body: { __type: error.type, message: error.message } };
      }
    },
    signForTest: (claims, header) => signer.signClaims(claims, header),
  };
}

async function signedIn(
  signer: TokenSigner,
  clientOf: (request: JsonObject) => UserPoolClientDefinition,
  request: JsonObject,
): Promise<JsonObject> {
  const flow = requiredText(request, 'AuthFlow');
  const client = clientOf(request);
  if (flow !== 'USER_PASSWORD_AUTH') {
    throw new CognitoError(
      'InvalidParameterException',
      `The auth flow ${flow} is not supported locally: use USER_PASSWORD_AUTH.`,
    );
  }
  if (!client.explicitAuthFlows.some((allowed) => PASSWORD_FLOWS.includes(allowed))) {
    throw new CognitoError('InvalidParameterException', `${flow} flow not enabled for this client`);
  }
  const parameters = objectAt(request, 'AuthParameters');
  const userName = requiredText(parameters, 'USERNAME');
  requiredText(parameters, 'PASSWORD');
  if (client.clientSecret !== undefined) requireSecretHash(client, userName, parameters['SECRET_HASH']);
  if (!USER_NAME.test(userName)) {
    throw new CognitoError('NotAuthorizedException', 'Incorrect username or password.');
  }
  const { accessToken, idToken } = await signer.signUserTokens(client, userName);
  return {
    AuthenticationResult: {
      AccessToken: accessToken,
      ExpiresIn: client.accessTokenValiditySeconds,
      IdToken: idToken,
      RefreshToken: randomBytes(48).toString('base64url'),
      TokenType: 'Bearer',
    },
    ChallengeParameters: {},
  };
}

function described(userPoolId: string, client: UserPoolClientDefinition, createdAt: Date): JsonObject {
  const timestamp = createdAt.getTime() / 1000;
  return {
    UserPoolId: userPoolId,
    ClientName: client.clientName ?? client.clientId,
    ClientId: client.clientId,
    ...(client.clientSecret === undefined ? {} : { ClientSecret: client.clientSecret }),
    LastModifiedDate: timestamp,
    CreationDate: timestamp,
    RefreshTokenValidity: REFRESH_TOKEN_VALIDITY_DAYS,
    AccessTokenValidity: client.accessTokenValiditySeconds,
    IdTokenValidity: client.idTokenValiditySeconds,
    TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'seconds', RefreshToken: 'days' },
    ExplicitAuthFlows: client.explicitAuthFlows,
    AllowedOAuthFlows: client.allowedOAuthFlows,
    AllowedOAuthScopes: client.allowedOAuthScopes,
    AllowedOAuthFlowsUserPoolClient: client.allowedOAuthFlows.length > 0,
  };
}

function requireSecretHash(client: UserPoolClientDefinition, userName: string, secretHash: unknown): void {
  if (typeof secretHash !== 'string') {
    throw new CognitoError(
      'NotAuthorizedException',
      `Client ${client.clientId} is configured with secret but SECRET_HASH was not received`,
    );
  }
  if (!secretHashMatches(client, userName, secretHash)) {
    throw new CognitoError(
      'NotAuthorizedException',
      `SecretHash does not match for the client: ${client.clientId}`,
    );
  }
}

/** Users call these without AWS credentials. */
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
        // One page is enough: AWS puts more pools on one than an app has.
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
