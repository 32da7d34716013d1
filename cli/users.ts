import { Argument } from 'commander';
import { connectToChatUsers, type ChatUsers } from './shared/chat-users.ts';
import { usageError, type CommandError } from './shared/command-error.ts';
import { chatUser, createDeploymentCommand, defineCommand, repeated } from './shared/command.ts';
import { findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { countOf, print, printable } from './shared/screen.ts';

interface UsersOptions extends DeploymentOptions {
  readonly password?: string;
}

export const run = defineCommand<UsersOptions>(
  createDeploymentCommand(
    'users',
    'Adds, removes and lists chat users. Locally, any name and password will do.',
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['add', 'remove', 'list']))
    .argument('[name...]', 'of the users', repeated(chatUser))
    .option(
      '--password <password>',
      'of the user who is added: 12 characters or more, of four classes (default: made up)',
    ),
  async ({ options, args: [action = '', ...names], context }) => {
    const { password } = options;
    checkCall(action, names, password);
    const { outputs } = await findDeployment(options, context);
    const users = await connectToChatUsers(outputs);
    try {
      if (action === 'list') await list(users);
      for (const name of names) {
        if (action === 'add') print(added(name, await users.add(name, password), password === undefined));
        else {
          await users.remove(name);
          print(`${name} is removed. Tokens that are out hold for up to an hour.`);
        }
      }
      return 0;
    } finally {
      users.close();
    }
  },
);

function wrong(message: string): CommandError {
  return usageError(message, 'For example: npm run users -- add alice');
}

function checkCall(action: string, names: readonly string[], password: string | undefined): void {
  if (action === 'list' && names.length > 0) throw wrong('The list is of all users: name none.');
  if (action !== 'list' && names.length === 0) throw wrong('Which user? A name is missing.');
  if (password === undefined) return;
  if (action !== 'add') throw wrong('A password belongs to a user who is added.');
  if (names.length > 1) throw wrong('One password is for one user.');
}

function added(name: string, password: string, isMadeUp: boolean): string {
  return isMadeUp
    ? `${name} is added. The password, which is shown only now: ${password}`
    : `${name} is added, with the password that you gave.`;
}

async function list(users: ChatUsers): Promise<void> {
  let count = 0;
  for await (const { name, status, createdAt } of users.list()) {
    const since = createdAt?.toISOString().slice(0, 10) ?? '';
    print(`${printable(name).padEnd(24)} ${since}  ${printable(status)}`.trimEnd());
    count += 1;
  }
  print(countOf(count, 'user'));
}
