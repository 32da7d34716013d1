type Fields = Readonly<Record<string, unknown>>;

export class CognitoError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** @throws CognitoError */
export function requiredText(parameters: Fields, name: string): string {
  const value = parameters[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new CognitoError('InvalidParameterException', `Missing required parameter ${name}`);
}

export interface PasswordPolicy {
  readonly minimumLength: number;
  readonly requireUppercase: boolean;
  readonly requireLowercase: boolean;
  readonly requireNumbers: boolean;
  readonly requireSymbols: boolean;
}

interface User {
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly isConfirmed: boolean;
}

const LONGEST_PAGE = 60;

/** What administrators do with users. Sign-in ignores these users: anybody may sign in locally. */
export function createUserStore(
  subjectOf: (userName: string) => string,
  passwordPolicy: PasswordPolicy | undefined,
): Readonly<Partial<Record<string, (parameters: Fields) => Fields>>> {
  const users = new Map<string, User>();

  const described = (userName: string, { createdAt, changedAt, isConfirmed }: User): Fields => ({
    Username: userName,
    Attributes: [{ Name: 'sub', Value: subjectOf(userName) }],
    Enabled: true,
    UserCreateDate: createdAt.getTime() / 1000,
    UserLastModifiedDate: changedAt.getTime() / 1000,
    UserStatus: isConfirmed ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD',
  });
  const existing = (userName: string): User => {
    const user = users.get(userName);
    if (user === undefined) throw new CognitoError('UserNotFoundException', 'User does not exist.');
    return user;
  };

  return {
    AdminCreateUser(parameters) {
      const userName = userNameIn(parameters);
      if (parameters['MessageAction'] === 'RESEND') {
        throw new CognitoError('InvalidParameterException', 'The local user pool sends no messages.');
      }
      if (parameters['TemporaryPassword'] !== undefined) {
        checkPassword(requiredText(parameters, 'TemporaryPassword'), passwordPolicy);
      }
      if (users.has(userName)) {
        throw new CognitoError('UsernameExistsException', 'User account already exists');
      }
      const user = { createdAt: new Date(), changedAt: new Date(), isConfirmed: false };
      users.set(userName, user);
      return { User: described(userName, user) };
    },
    AdminSetUserPassword(parameters) {
      const userName = userNameIn(parameters);
      const user = existing(userName);
      checkPassword(requiredText(parameters, 'Password'), passwordPolicy);
      users.set(userName, { ...user, changedAt: new Date(), isConfirmed: parameters['Permanent'] === true });
      return {};
    },
    AdminDeleteUser(parameters) {
      const userName = userNameIn(parameters);
      existing(userName);
      users.delete(userName);
      return {};
    },
    ListUsers(parameters) {
      const { PaginationToken: token, Filter: filter } = parameters;
      if (typeof filter === 'string' && filter !== '') {
        throw new CognitoError('InvalidParameterException', 'The local user pool does not filter users.');
      }
      const limit = limitIn(parameters['Limit']);
      const after = typeof token === 'string' ? Buffer.from(token, 'base64url').toString('utf8') : '';
      const names = [...users.keys()].filter((name) => name > after).toSorted();
      const page = names.slice(0, limit);
      const Users = page.map((name) => described(name, existing(name)));
      if (page.length === names.length) return { Users };
      return { Users, PaginationToken: Buffer.from(page.at(-1) ?? '').toString('base64url') };
    },
  };
}

function limitIn(limit: unknown = LONGEST_PAGE): number {
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > LONGEST_PAGE) {
    throw new CognitoError(
      'InvalidParameterException',
      `Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to ${LONGEST_PAGE}`,
    );
  }
  return limit === 0 ? LONGEST_PAGE : limit;
}

/** Names ignore case, as the template asks and as is Cognito's default. */
function userNameIn(parameters: Fields): string {
  const userName = requiredText(parameters, 'Username');
  if (!/^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u.test(userName)) {
    throw new CognitoError(
      'InvalidParameterException',
      "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+",
    );
  }
  return userName.toLowerCase();
}

function checkPassword(password: string, policy: PasswordPolicy | undefined): void {
  if (policy === undefined) return;
  const faults: readonly (readonly [isWrong: boolean, fault: string])[] = [
    [password.length < policy.minimumLength, 'Password not long enough'],
    [policy.requireUppercase && !/[A-Z]/.test(password), 'Password must have uppercase characters'],
    [policy.requireLowercase && !/[a-z]/.test(password), 'Password must have lowercase characters'],
    [policy.requireNumbers && !/\d/.test(password), 'Password must have numeric characters'],
    [
      policy.requireSymbols && !/[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+-]/.test(password),
      'Password must have symbol characters',
    ],
  ];
  const [, fault] = faults.find(([isWrong]) => isWrong) ?? [];
  if (fault === undefined) return;
  throw new CognitoError('InvalidPasswordException', `Password did not conform with policy: ${fault}`);
}
