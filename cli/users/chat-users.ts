import { randomInt } from 'node:crypto';
import { awsClientOptions } from '../aws-client.ts';
import { CommandError, errorMessage } from '../command-error.ts';
import type { Outputs } from '../outputs.ts';
import { makePassword } from './password.ts';

/** A user of the pool. */
export interface ChatUser {
  readonly name: string;
  /** As Cognito says it: CONFIRMED for one who can sign in. */
  readonly status: string;
  readonly createdAt: Date | undefined;
}

/** The chat users of a deployment, as its administrator sees them. */
export interface ChatUsers {
  /**
   * Adds a user who can sign in at once.
   *
   * @param password one is made up if none is given
   * @returns the password
   */
  readonly add: (name: string, password?: string) => Promise<string>;
  readonly remove: (name: string) => Promise<void>;
  readonly list: () => AsyncGenerator<ChatUser>;
  readonly close: () => void;
}

/** Errors of Cognito's that say enough, in words of their own. */
const known: Readonly<Record<string, (name: string) => string>> = {
  UsernameExistsException: (name) => `There is a user ${name} already.`,
  UserNotFoundException: (name) => `There is no user ${name}.`,
};

/** Works with whatever AWS credentials are at hand; every call but `list` is about one user. */
export async function connectToChatUsers(outputs: Outputs): Promise<ChatUsers> {
  const {
    AdminCreateUserCommand,
    AdminDeleteUserCommand,
    AdminSetUserPasswordCommand,
    CognitoIdentityProviderClient,
    ListUsersCommand,
  } = await import('@aws-sdk/client-cognito-identity-provider');
  const { UserPoolId } = outputs.DuotempoIdentity;
  const client = new CognitoIdentityProviderClient(awsClientOptions(outputs));

  const remove = async (name: string): Promise<void> => {
    await explained(client.send(new AdminDeleteUserCommand({ UserPoolId, Username: name })), name);
  };

  return {
    add: async (name, given) => {
      const Password = given ?? makePassword((limit) => randomInt(limit));
      const user = { UserPoolId, Username: name };
      await explained(client.send(new AdminCreateUserCommand({ ...user, MessageAction: 'SUPPRESS' })), name);
      try {
        const permanent = new AdminSetUserPasswordCommand({ ...user, Password, Permanent: true });
        await explained(client.send(permanent), name);
      } catch (error) {
        // Without a password the user could not sign in, and would be in the way of the next attempt.
        await remove(name).catch(() => undefined);
        throw error;
      }
      return Password;
    },
    remove,
    list: async function* () {
      let PaginationToken: string | undefined;
      do {
        const command = new ListUsersCommand({ UserPoolId, ...(PaginationToken && { PaginationToken }) });
        const page = await explained(client.send(command), '');
        for (const { Username = '', UserStatus = '', UserCreateDate } of page.Users ?? []) {
          yield { name: Username, status: UserStatus, createdAt: UserCreateDate };
        }
        ({ PaginationToken } = page);
      } while (PaginationToken !== undefined);
    },
    close: () => client.destroy(),
  };
}

/** @throws CommandError in words of a person */
async function explained<T>(work: Promise<T>, name: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const said = error instanceof Error ? known[error.name]?.(name) : undefined;
    throw new CommandError(said ?? `The user pool refuses: ${errorMessage(error)}`, { cause: error });
  }
}
