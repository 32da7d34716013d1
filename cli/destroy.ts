import { stageConfig } from '../lib/config.ts';
import { stackNameOf, type DeployableStage } from '../lib/stage-names.ts';
import { dropOutputs } from './deploy/aws-outputs.ts';
import {
  approve,
  cdkArguments,
  createCdkCommand,
  runCdk,
  type CdkOptions,
  type RunCdk,
} from './deploy/cdk.ts';
import { defineCommand, outputsFile, type Run } from './shared/command.ts';
import { deploymentOf } from './shared/outputs.ts';
import { print, printError } from './shared/screen.ts';

export const run = destroyWith(runCdk);

export function destroyWith(cdk: RunCdk): Run {
  return defineCommand<CdkOptions>(
    createCdkCommand('destroy', 'Removes the app from your AWS account.', {
      yes: 'ask nothing',
      outputs: 'the file that tells of it',
    }),
    async ({ options, args, context }) => {
      const { stage } = options;
      await approve(
        options,
        stageConfig(stage).keepsData
          ? `This removes the stage ${stage} from your AWS account; its tables and its users are kept.`
          : `This removes the stage ${stage} from your AWS account, with all that is in its tables.`,
      );
      const exitCode = await cdk(context, ['destroy', '--all', ...cdkArguments(options, args, ['--force'])]);
      if (exitCode !== 0) {
        printError('Not all is removed; what cdk says above is why. The same command again goes on.');
        return 1;
      }
      const file = outputsFile(options.outputs, context);
      if ((await deploymentOf(file)) === 'aws') await dropOutputs(file, stage);
      print(afterDestruction(stage));
      return 0;
    },
  );
}

export function afterDestruction(stage: DeployableStage): string {
  return stageConfig(stage).keepsData
    ? [
        'The tables and the user pool are kept: they are still there, protected from deletion, and still cost.',
        `Their names begin with ${stackNameOf(stage, 'CardSettlement')}, ${stackNameOf(stage, 'Chat')} and ${stackNameOf(stage, 'Identity')}: aws dynamodb list-tables and`,
        'aws cognito-idp list-user-pools --max-results 60 show them. A new deployment makes new, empty ones.',
      ].join('\n')
    : 'Nothing of the app is left. What cdk bootstrap made stays, for other apps; so does the role by which API Gateway writes logs, a setting of the account.';
}
