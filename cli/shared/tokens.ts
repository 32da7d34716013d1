import readline from 'node:readline/promises';
import { Writable } from 'node:stream';
import * as v from 'valibot';
import { CommandError, errorMessage } from './command-error.ts';
import type { HttpClient } from './http.ts';
import { awsClientOptions, type Outputs } from './outputs.ts';

export interface AccessTokens {
  readonly get: () => Promise<string>;
  readonly renew: () => void;
}

interface NewToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

function renewedTokens(request: () => Promise<NewToken>, now: () => number = Date.now): AccessTokens {
  let current: Promise<{ token: string; renewAt: number }> | undefined;

  async function renewed(): Promise<{ token: string; renewAt: number }> {
    const requestedAt = now();
    const { token, expiresInSeconds } = await request();
    // The last tenth of its life is left to slow requests.
    return { token, renewAt: requestedAt + expiresInSeconds * 900 };
  }

  async function get(): Promise<string> {
    const asked = (current ??= renewed());
    try {
      const { token, renewAt } = await asked;
      if (now() < renewAt) return token;
    } catch (error) {
      if (current === asked) current = undefined;
      throw error;
    }
    if (current === asked) current = undefined;
    return get();
  }

  return {
    get,
    renew: () => {
      current = undefined;
    },
  };
}

export type ApiClient = 'gateway' | 'operator';

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

const tokenSchema = v.object({ access_token: v.string(), expires_in: v.number() });

/** Client credentials (RFC 6749, section 4.4). */
export function createAccessTokens(options: {
  readonly http: HttpClient;
  readonly tokenUrl: string;
  readonly credentials: () => Promise<ClientCredentials>;
  readonly now?: () => number;
}): AccessTokens {
  const { http, tokenUrl, now } = options;
  let credentials: Promise<ClientCredentials> | undefined;

  return renewedTokens(async () => {
    const { clientId, clientSecret } = await (credentials ??= options.credentials());
    const response = await http
      .send({
        method: 'POST',
        url: tokenUrl,
        headers: {
          authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials',
      })
      .catch((error: unknown) => {
        throw new CommandError(`${tokenUrl} does not answer: ${errorMessage(error)}.`, { cause: error });
      });
    const parsed = v.safeParse(tokenSchema, response.body);
    if (response.status !== 200 || !parsed.success)
      throw new CommandError(`${tokenUrl} gave no access token: it answered ${response.status}.`);
    return { token: parsed.output.access_token, expiresInSeconds: parsed.output.expires_in };
  }, now);
}

export function accessTokensOf(client: ApiClient, outputs: Outputs, http: HttpClient): AccessTokens {
  return createAccessTokens({
    http,
    tokenUrl: outputs.DuotempoIdentity.TokenUrl,
    credentials: async () => readClientCredentials(outputs, client),
  });
}

/** On demand, because this takes longer than loading everything else here. */
const loadSdk = async () => import('@aws-sdk/client-cognito-identity-provider');
let sdk: ReturnType<typeof loadSdk> | undefined;

const HOST_IS_GONE = 'Is npm start still running? The outputs file is of a host that no longer answers.';

/** From the user pool, with the AWS credentials at hand: no file keeps the secret. */
async function readClientCredentials(outputs: Outputs, client: ApiClient): Promise<ClientCredentials> {
  const { UserPoolId, GatewayClientId, OperatorClientId } = outputs.DuotempoIdentity;
  const clientId = client === 'gateway' ? GatewayClientId : OperatorClientId;
  const { CognitoIdentityProvider } = await (sdk ??= loadSdk());
  const userPools = new CognitoIdentityProvider(awsClientOptions(outputs));
  try {
    const answer = await userPools.describeUserPoolClient({ UserPoolId, ClientId: clientId });
    const clientSecret = answer.UserPoolClient?.ClientSecret;
    if (clientSecret === undefined) throw new Error('the client has no secret');
    return { clientId, clientSecret };
  } catch (error) {
    throw new CommandError(`The secret of the client ${client} could not be read: ${errorMessage(error)}.`, {
      hint: outputs.DuotempoLocal
        ? HOST_IS_GONE
        : 'Reading it needs AWS credentials that allow cognito-idp:DescribeUserPoolClient (aws sts get-caller-identity shows yours; --profile names others).',
      cause: error,
    });
  } finally {
    userPools.destroy();
  }
}

export function userTokensOf(
  username: string,
  outputs: Outputs,
  password: () => Promise<string> = async () => passwordFor(username, outputs),
): AccessTokens {
  let read: Promise<string> | undefined;
  return renewedTokens(async () => signIn(username, await (read ??= password()), outputs));
}

async function signIn(username: string, password: string, outputs: Outputs): Promise<NewToken> {
  const { CognitoIdentityProvider } = await (sdk ??= loadSdk());
  const userPools = new CognitoIdentityProvider({
    ...awsClientOptions(outputs),
    // The request is not signed, so it needs no AWS credentials.
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  try {
    const answer = await userPools.initiateAuth({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: outputs.DuotempoIdentity.ChatClientId,
      AuthParameters: { USERNAME: username, PASSWORD: password },
    });
    const { AccessToken: token, ExpiresIn: expiresInSeconds } = answer.AuthenticationResult ?? {};
    if (token !== undefined && expiresInSeconds !== undefined) return { token, expiresInSeconds };
    throw new CommandError(
      `${username} cannot sign in: ${answer.ChallengeName ?? 'something else'} is asked for.`,
      {
        hint: `A new user needs a permanent password: npm run users -- remove ${username}, then add ${username}, gives one.`,
      },
    );
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const isRefused = error instanceof Error && error.name === 'NotAuthorizedException';
    throw new CommandError(`${username} could not sign in: ${errorMessage(error)}`, {
      ...(outputs.DuotempoLocal && !isRefused ? { hint: HOST_IS_GONE } : {}),
      cause: error,
    });
  } finally {
    userPools.destroy();
  }
}

/** The local host takes any password. */
async function passwordFor(username: string, outputs: Outputs): Promise<string> {
  const given = process.env['DUOTEMPO_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  if (outputs.DuotempoLocal !== undefined) return 'any';
  if (process.stdin.isTTY) return askPassword(`Password of ${username}: `);
  throw new CommandError(`There is no password for ${username}.`, {
    hint: 'Set DUOTEMPO_PASSWORD, or run the command on a terminal, where it asks.',
  });
}

async function askPassword(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = readline.createInterface({ input: process.stdin, output: silent, terminal: true });
  const ended = new Promise<never>((_, reject) => {
    lines.once('close', () => reject(new CommandError('No password was given.')));
  });
  try {
    return await Promise.race([lines.question(''), ended]);
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
