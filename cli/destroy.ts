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
  process.stdout.write(
    'What the stage retains (tables of production, for one) is still there, and still costs.\n',
  );
  return 0;
}
