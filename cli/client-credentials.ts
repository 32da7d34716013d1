import { awsClientOptions } from './aws-client.ts';
import { CommandError, errorMessage } from './command-error.ts';
import type { Outputs } from './outputs.ts';

/** The programs that call the card settlement API. */
export type ApiClient = 'gateway' | 'operator';

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Asks the user pool for a client's secret, with whatever AWS credentials are at hand: no secret is kept in a file. */
export async function readClientCredentials(outputs: Outputs, client: ApiClient): Promise<ClientCredentials> {
  const { UserPoolId, GatewayClientId, OperatorClientId } = outputs.DuotempoIdentity;
  const clientId = client === 'gateway' ? GatewayClientId : OperatorClientId;
  const { CognitoIdentityProviderClient, DescribeUserPoolClientCommand } =
    await import('@aws-sdk/client-cognito-identity-provider');
  const local = outputs.DuotempoLocal;
  const userPools = new CognitoIdentityProviderClient(awsClientOptions(outputs));
  try {
    const answer = await userPools.send(
      new DescribeUserPoolClientCommand({ UserPoolId, ClientId: clientId }),
    );
    const clientSecret = answer.UserPoolClient?.ClientSecret;
    if (clientSecret === undefined) throw new Error('the client has no secret');
    return { clientId, clientSecret };
  } catch (error) {
    throw new CommandError(`The secret of the client ${client} could not be read: ${errorMessage(error)}.`, {
      hint: local
        ? 'Is npm start still running? The outputs file is of a host that no longer answers.'
        : 'Reading it needs AWS credentials that allow cognito-idp:DescribeUserPoolClient (aws sts get-caller-identity shows yours; --profile names others).',
      cause: error,
    });
  } finally {
    userPools.destroy();
  }
}
