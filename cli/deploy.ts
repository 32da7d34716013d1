import { existsSync } from 'node:fs';
import { runCdk } from './cdk.ts';
import { CommandError } from './command-error.ts';
import {
  type CommandContext,
  createCommand,
  outputsFile,
  parseArguments,
  stageOption,
} from './command-line.ts';
import { tellsOfLocalHost } from './outputs.ts';

/** `npm run deploy`: `cdk deploy --all --outputs-file outputs.json`; further arguments go to cdk. */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const command = createCommand(
    'deploy',
    'Puts the app into your AWS account. Further arguments go to cdk deploy.',
  )
    .addOption(stageOption())
    .option('--outputs <file>', 'where to write the outputs (default: outputs.json of the project)')
    .argument('[cdk arguments...]')
    .allowUnknownOption();
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const { stage, outputs: named } = command.opts<{ stage: string; outputs?: string }>();
  const outputs = outputsFile(named, context);
  if (await tellsOfLocalHost(outputs)) {
    throw new CommandError(`${outputs} is of a local host.`, {
      hint: 'Stop npm start first (or remove the file, if none is running), or name another one with --outputs.',
    });
  }
  const status = await runCdk(context, [
    'deploy',
    '--all',
    '--outputs-file',
    outputs,
    '--context',
    `stage=${stage}`,
    ...command.args,
  ]);
  if (status === 0 && existsSync(outputs)) process.stdout.write(nextSteps(named));
  return status === 0 ? 0 : 1;
}

function nextSteps(named: string | undefined): string {
  const option = named === undefined ? '' : ` --outputs ${named}`;
  return [
    '',
    'Deployed. Next:',
    `  npm run -s token -- gateway${option}`,
    `  npm run replay -- transactions.csv --shift-to-today --settle${option}`,
    '  npm run destroy',
    '',
  ].join('\n');
}
