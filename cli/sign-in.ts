import process from 'node:process';
import { type AccessTokens, renewedTokens } from './access-token.ts';
import { awsClientOptions } from './aws-client.ts';
import { CommandError, errorMessage } from './command-error.ts';
import type { Outputs } from './outputs.ts';

/** Access tokens of a chat user by password, renewed before they expire. The password is read at the first one. */
export function userTokensOf(
  username: string,
  outputs: Outputs,
  password: () => Promise<string> = passwordFor(username, outputs),
): AccessTokens {
  let read: Promise<string> | undefined;
  return renewedTokens(async () => signIn(username, await (read ??= password()), outputs));
}

/** Loaded when somebody signs in: the SDK takes longer to load than everything else here. */
const loadSdk = async () => import('@aws-sdk/client-cognito-identity-provider');
let sdk: ReturnType<typeof loadSdk> | undefined;

async function signIn(
  username: string,
  password: string,
  outputs: Outputs,
): Promise<{ readonly token: string; readonly expiresInSeconds: number }> {
  const { ChatClientId } = outputs.DuotempoIdentity;
  const { CognitoIdentityProviderClient, InitiateAuthCommand } = await (sdk ??= loadSdk());
  const local = outputs.DuotempoLocal;
  const userPools = new CognitoIdentityProviderClient({
    ...awsClientOptions(outputs),
    // Signing in takes no AWS credentials: the request is not signed.
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  try {
    const answer = await userPools.send(
      new InitiateAuthCommand({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: ChatClientId,
        AuthParameters: { USERNAME: username, PASSWORD: password },
      }),
    );
    const { AccessToken: token, ExpiresIn: expiresInSeconds } = answer.AuthenticationResult ?? {};
    if (token === undefined || expiresInSeconds === undefined) {
      throw new CommandError(
        `${username} cannot sign in: ${answer.ChallengeName ?? 'something else'} is asked for.`,
        {
          hint: `A new user needs a permanent password: npm run users -- remove ${username}, then add ${username}, gives one.`,
        },
      );
    }
    return { token, expiresInSeconds };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${username} could not sign in: ${errorMessage(error)}`, {
      ...(local && error instanceof Error && error.name !== 'NotAuthorizedException'
        ? { hint: 'Is npm start still running? The outputs file is of a host that no longer answers.' }
        : {}),
      cause: error,
    });
  } finally {
    userPools.destroy();
  }
}

/** From DUOTEMPO_PASSWORD, else asked for on the terminal. The local host takes any, so there nobody is asked. */
function passwordFor(username: string, outputs: Outputs): () => Promise<string> {
  return async () => {
    const given = process.env['DUOTEMPO_PASSWORD'];
    if (given !== undefined && given !== '') return given;
    if (outputs.DuotempoLocal !== undefined) return 'any';
    if (!process.stdin.isTTY) {
      throw new CommandError(`There is no password for ${username}.`, {
        hint: 'Set DUOTEMPO_PASSWORD, or run the command on a terminal, where it asks.',
      });
    }
    return askPassword(`Password of ${username}: `);
  };
}

/** Reads a line from the terminal without showing it. */
async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = '';
      const onData = (chunk: Buffer): void => {
        for (const character of chunk.toString('utf8')) {
          if (character === '\r' || character === '\n') {
            stdin.off('data', onData);
            resolve(typed);
            return;
          }
          if (character === '\u0003' || character === '\u0004') {
            stdin.off('data', onData);
            reject(new CommandError('No password was given.'));
            return;
          }
          typed = character === '\u007F' || character === '\b' ? typed.slice(0, -1) : typed + character;
        }
      };
      stdin.on('data', onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
