import { Argument } from 'commander';
import { accessTokensOf } from './access-token.ts';
import type { ApiClient } from './client-credentials.ts';
import { type CommandContext, createCommand, outputsFile, parseArguments } from './command-line.ts';
import { createHttpClient } from './http.ts';
import { readOutputs } from './outputs.ts';

/** `npm run -s token -- gateway|operator`: prints an access token and a newline, nothing else. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand('token', 'Prints an access token for the API, and nothing else.')
    .addArgument(new Argument('<client>', 'who calls').choices(['gateway', 'operator']))
    .option('--outputs <file>', 'outputs of the deployment (default: outputs.json of the project)');
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;

  const client: ApiClient = command.args[0] === 'gateway' ? 'gateway' : 'operator';
  const outputs = await readOutputs(outputsFile(command.opts<{ outputs?: string }>().outputs, context));
  const http = createHttpClient({ connections: 1 });
  try {
    const token = await accessTokensOf(client, outputs, http).get();
    process.stdout.write(`${token}\n`);
    return 0;
  } finally {
    http.close();
  }
}
