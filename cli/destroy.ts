import { stageConfig } from '../lib/config.ts';
import { runCdk } from './cdk.ts';
import { type CommandContext, createCommand, parseArguments, stageOption } from './command-line.ts';

/** `npm run destroy`: `cdk destroy --all`; further arguments go to cdk. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'destroy',
    'Removes the app from your AWS account. Further arguments go to cdk destroy.',
  )
    .addOption(stageOption())
    .argument('[cdk arguments...]')
    .allowUnknownOption();
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const { stage } = command.opts<{ stage: string }>();
  const status = await runCdk(context, ['destroy', '--all', '--context', `stage=${stage}`, ...command.args]);
  if (status !== 0) return 1;
  process.stdout.write(`${afterDestruction(stage)}\n`);
  return 0;
}

/** What is left of a stage once its stacks are gone. */
export function afterDestruction(stage: string): string {
  return stageConfig(stage).keepsData
    ? 'The tables and the user pool are kept: they are still there, protected from deletion, and still cost.'
    : 'Nothing of the app is left. What cdk bootstrap made stays, for other apps.';
}
