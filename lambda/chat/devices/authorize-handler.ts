import type { Context } from 'aws-lambda';
import { createRemoteJWKSet } from 'jose';
import { environmentVariable } from '../../shared/environment.ts';
import { lazily } from '../../shared/lazily.ts';
import { logInvocation } from '../../shared/log.ts';
import { environmentNames } from '../contract.ts';
import { authorizeConnection, type ConnectionGrant } from './authorize.ts';

const services = lazily(() => ({
  issuer: environmentVariable(environmentNames.issuer),
  chatClientId: environmentVariable(environmentNames.chatClientId),
  keys: createRemoteJWKSet(new URL(environmentVariable(environmentNames.issuerKeysUrl))),
}));

export async function handler(
  event: unknown,
  context: Pick<Context, 'awsRequestId'>,
): Promise<ConnectionGrant> {
  logInvocation(context);
  return authorizeConnection(event, services());
}
