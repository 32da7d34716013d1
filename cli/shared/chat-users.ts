import { randomInt } from 'node:crypto';
import { CommandError, errorMessage } from './command-error.ts';
import { awsClientOptions, type Outputs } from './outputs.ts';

export interface ChatUser {
  readonly name: string;
  /** Cognito's word: a CONFIRMED user can sign in. */
  readonly status: string;
  readonly createdAt: Date | undefined;
}

export interface ChatUsers {
  /** The user can sign in at once. @returns the password, made up if none is given */
  readonly add: (name: string, password?: string) => Promise<string>;
  readonly remove: (name: string) => Promise<void>;
  readonly list: () => AsyncGenerator<ChatUser>;
  readonly close: () => void;
}

export async function connectToChatUsers(outputs: Outputs): Promise<ChatUsers> {
  const { CognitoIdentityProvider } = await import('@aws-sdk/client-cognito-identity-provider');
  const { UserPoolId } = outputs.DuotempoIdentity;
  const client = new CognitoIdentityProvider(awsClientOptions(outputs));

  const remove = async (name: string): Promise<void> => {
    await explained(client.adminDeleteUser({ UserPoolId, Username: name }), name);
  };

  return {
    add: async (name, given) => {
      const Password = given ?? makePassword((limit) => randomInt(limit));
      const user = { UserPoolId, Username: name };
      await explained(client.adminCreateUser({ ...user, MessageAction: 'SUPPRESS' }), name);
      try {
        await explained(client.adminSetUserPassword({ ...user, Password, Permanent: true }), name);
      } catch (error) {
        // Without a password the user could not sign in, and would block the next attempt.
        await remove(name).catch(() => undefined);
        throw error;
      }
      return Password;
    },
    remove,
    list: async function* () {
      let PaginationToken: string | undefined;
      do {
        const page = await explained(
          client.listUsers({ UserPoolId, ...(PaginationToken && { PaginationToken }) }),
          '',
        );
        for (const { Username = '', UserStatus = '', UserCreateDate } of page.Users ?? []) {
          yield { name: Username, status: UserStatus, createdAt: UserCreateDate };
        }
        ({ PaginationToken } = page);
      } while (PaginationToken !== undefined);
    },
    close: () => client.destroy(),
  };
}

const explanations: Readonly<Record<string, (name: string) => string>> = {
  UsernameExistsException: (name) => `There is a user ${name} already.`,
  UserNotFoundException: (name) => `There is no user ${name}.`,
};

async function explained<T>(work: Promise<T>, name: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const said = error instanceof Error ? explanations[error.name]?.(name) : undefined;
    throw new CommandError(said ?? `The user pool refuses: ${errorMessage(error)}`, { cause: error });
  }
}

const PASSWORD_LENGTH = 12;

/** Without characters that look alike, or that a shell interprets. */
const PASSWORD_CLASSES = [
  'ABCDEFGHJKLMNPQRSTUVWXYZ',
  'abcdefghijkmnpqrstuvwxyz',
  '23456789',
  '-_.+=',
] as const;

/** About 67 random bits. @param random a whole number below the limit */
export function makePassword(random: (limit: number) => number): string {
  const all = PASSWORD_CLASSES.join('');
  const characters = Array.from({ length: PASSWORD_LENGTH }, (_, index) => {
    const choice = PASSWORD_CLASSES[index] ?? all;
    return choice[random(choice.length)] ?? '';
  });
  for (let last = characters.length - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? '', characters[last] ?? ''];
  }
  return characters.join('');
}
