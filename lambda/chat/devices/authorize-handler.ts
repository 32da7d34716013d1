import type { Context } from 'aws-lambda';
import { createRemoteJWKSet } from 'jose';
import { environmentVariable } from '../../shared/environment.ts';
import { logInvocation } from '../../shared/log.ts';
import { environmentNames } from '../contract.ts';
import { authorizeConnection, type AuthorizerServices, type ConnectionGrant } from './authorize.ts';

function buildServices(): AuthorizerServices {
  return {
    issuer: environmentVariable(environmentNames.issuer),
    chatClientId: environmentVariable(environmentNames.chatClientId),
    keys: createRemoteJWKSet(new URL(environmentVariable(environmentNames.issuerKeysUrl))),
  };
}

let services: AuthorizerServices | undefined;

export async function handler(
  event: unknown,
  context: Pick<Context, 'awsRequestId'>,
): Promise<ConnectionGrant> {
  logInvocation(context);
  return authorizeConnection(event, (services ??= buildServices()));
}
