import { Argument } from 'commander';
import { chatUser } from './chat-user.ts';
import { CommandError } from './command-error.ts';
import { type CommandContext, createDeploymentCommand, parseArguments } from './command-line.ts';
import { type DeploymentOptions, findDeployment } from './outputs.ts';
import { countOf, printable } from './screen.ts';
import { type ChatUsers, connectToChatUsers } from './users/chat-users.ts';

interface UsersOptions extends DeploymentOptions {
  readonly password?: string;
}

/** `npm run users -- add|remove|list`: who may sign in to the chat. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand(
    'users',
    'Adds, removes and lists chat users. Locally anybody may sign in all the same.',
  )
    .addArgument(new Argument('<action>', 'what to do').choices(['add', 'remove', 'list']))
    .argument('[name...]', 'of the users', (name: string, earlier: string[] | undefined) => [
      ...(earlier ?? []),
      chatUser(name),
    ])
    .option(
      '--password <password>',
      'of the user who is added: 12 characters or more, of four classes (default: made up)',
    );
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const { password, ...options } = command.opts<UsersOptions>();
  const [action = '', ...names] = command.args;
  checkCall(action, names, password);

  const { outputs } = await findDeployment(options, context);
  const users = await connectToChatUsers(outputs);
  try {
    if (action === 'list') await list(users);
    for (const name of names) {
      if (action === 'add') say(added(name, await users.add(name, password), password === undefined));
      else {
        await users.remove(name);
        say(`${name} is removed. Tokens that are out hold for up to an hour.`);
      }
    }
    return 0;
  } finally {
    users.close();
  }
}

function checkCall(action: string, names: readonly string[], password: string | undefined): void {
  if (action === 'list' && names.length > 0) wrong('The list is of all users: name none.');
  if (action !== 'list' && names.length === 0) wrong('Which user? A name is missing.');
  if (password === undefined) return;
  if (action !== 'add') wrong('A password belongs to a user who is added.');
  if (names.length > 1) wrong('One password is for one user.');
}

function wrong(message: string): never {
  throw new CommandError(message, { hint: 'For example: npm run users -- add alice', exitCode: 2 });
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
    say(`${printable(name).padEnd(24)} ${since}  ${printable(status)}`.trimEnd());
    count += 1;
  }
  say(countOf(count, 'user'));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
