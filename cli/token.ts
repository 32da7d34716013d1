import { Argument } from 'commander';
import { usageError } from './shared/command-error.ts';
import { chatUser, createDeploymentCommand, defineCommand } from './shared/command.ts';
import { createHttpClient } from './shared/http.ts';
import { findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { print } from './shared/screen.ts';
import { accessTokensOf, userTokensOf } from './shared/tokens.ts';

export const run = defineCommand<DeploymentOptions>(
  createDeploymentCommand('token', 'Prints an access token for the API, and nothing else.')
    .addArgument(new Argument('<client>', 'who calls').choices(['gateway', 'operator', 'user']))
    .argument(
      '[name]',
      'of the chat user; the password is DUOTEMPO_PASSWORD, or asked for (locally: any)',
      chatUser,
    ),
  async ({ options, args: [client, name], context }) => {
    if ((client === 'user') !== (name !== undefined)) {
      throw usageError(
        client === 'user' ? 'Which user? A name is missing.' : `The ${client} has no name: leave it out.`,
        'For example: npm run -s token -- user alice',
      );
    }
    const { outputs } = await findDeployment(options, context);
    const http = createHttpClient({ connections: 1 });
    try {
      const tokens =
        name === undefined
          ? accessTokensOf(client === 'gateway' ? 'gateway' : 'operator', outputs, http)
          : userTokensOf(name, outputs);
      print(await tokens.get());
      return 0;
    } finally {
      http.close();
    }
  },
);
