import { Argument } from 'commander';
import { accessTokensOf } from './access-token.ts';
import { chatUser } from './chat-user.ts';
import { CommandError } from './command-error.ts';
import { type CommandContext, createDeploymentCommand, parseArguments } from './command-line.ts';
import { createHttpClient } from './http.ts';
import { type DeploymentOptions, findDeployment } from './outputs.ts';
import { userTokensOf } from './sign-in.ts';

/** `npm run -s token -- gateway|operator|user <name>`: prints an access token and a newline, nothing else. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createDeploymentCommand('token', 'Prints an access token for the API, and nothing else.')
    .addArgument(new Argument('<client>', 'who calls').choices(['gateway', 'operator', 'user']))
    .argument(
      '[name]',
      'of the chat user; the password is DUOTEMPO_PASSWORD, or asked for (locally: any)',
      chatUser,
    );
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;

  const [client, name] = command.processedArgs.map((argument: unknown) =>
    typeof argument === 'string' ? argument : undefined,
  );
  if ((client === 'user') !== (name !== undefined)) {
    throw new CommandError(
      client === 'user' ? 'Which user? A name is missing.' : `The ${client} has no name: leave it out.`,
      { hint: 'For example: npm run -s token -- user alice', exitCode: 2 },
    );
  }
  const { outputs } = await findDeployment(command.opts<DeploymentOptions>(), context);
  const http = createHttpClient({ connections: 1 });
  try {
    const tokens =
      name === undefined
        ? accessTokensOf(client === 'gateway' ? 'gateway' : 'operator', outputs, http)
        : userTokensOf(name, outputs);
    process.stdout.write(`${await tokens.get()}\n`);
    return 0;
  } finally {
    http.close();
  }
}
