import { printError } from './shared/screen.ts';
import { stageConfig } from '../lib/config.ts';
import { stackNameOf, type DeployableStage } from '../lib/stage-names.ts';
import { approve, cdkArguments, runCdk, type Approval, type RunCdk } from './deploy/cdk.ts';
import {
  createCommand,
  outputsFile,
  parseArguments,
  profileOption,
  stageOption,
  type CommandContext,
} from './shared/command.ts';
import { dropOutputs } from './deploy/aws-outputs.ts';
import { deploymentOf } from './shared/outputs.ts';

interface DestroyOptions extends Approval {
  readonly stage: DeployableStage;
  readonly outputs?: string;
  readonly profile?: string;
}

/** `npm run destroy`: `cdk destroy --all`, and its outputs go from the file; further arguments go to cdk. */
export async function run(
  argv: readonly string[],
  context: CommandContext,
  cdk: RunCdk = runCdk,
): Promise<number> {
  const command = createCommand(
    'destroy',
    'Removes the app from your AWS account. Further arguments go to cdk destroy.',
  )
    .addOption(stageOption().default('sandbox'))
    .option('--yes', 'ask nothing')
    .option('--outputs <file>', 'the file that tells of it (default: outputs.json of the project)')
    .addOption(profileOption())
    .argument('[cdk arguments...]')
    .allowUnknownOption();
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<DestroyOptions>();
  const { stage } = options;
  await approve(
    options,
    stageConfig(stage).keepsData
      ? `This removes the stage ${stage} from your AWS account; its tables and its users are kept.`
      : `This removes the stage ${stage} from your AWS account, with all that is in its tables.`,
  );
  const status = await cdk(context, [
    'destroy',
    '--all',
    '--context',
    `stage=${stage}`,
    ...cdkArguments(options, command.args, ['--force']),
  ]);
  if (status !== 0) {
    printError('Not all is removed; what cdk says above is why. The same command again goes on.');
    return 1;
  }
  const file = outputsFile(options.outputs, context);
  if ((await deploymentOf(file)) === 'aws') await dropOutputs(file, stage);
  process.stdout.write(`${afterDestruction(stage)}\n`);
  return 0;
}

/** What is left of a stage once its stacks are gone. */
export function afterDestruction(stage: DeployableStage): string {
  return stageConfig(stage).keepsData
    ? [
        'The tables and the user pool are kept: they are still there, protected from deletion, and still cost.',
        `Their names begin with ${stackNameOf(stage, 'CardSettlement')}, ${stackNameOf(stage, 'Chat')} and ${stackNameOf(stage, 'Identity')}: aws dynamodb list-tables and`,
        'aws cognito-idp list-user-pools --max-results 60 show them. A new deployment makes new, empty ones.',
      ].join('\n')
    : 'Nothing of the app is left. What cdk bootstrap made stays, for other apps; so does the role by which API Gateway writes logs, a setting of the account.';
}
