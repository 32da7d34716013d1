import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { stackNameOf } from '../lib/stage-names.ts';
import { awsOutputsOf, keepOutputs } from './deploy/aws-outputs.ts';
import {
  approve,
  cdkArguments,
  createCdkCommand,
  runCdk,
  type CdkOptions,
  type RunCdk,
} from './deploy/cdk.ts';
import { defineCommand, outputsFile, repeated, type Run } from './shared/command.ts';
import { print, printError } from './shared/screen.ts';

interface DeployOptions extends CdkOptions {
  readonly alarmEmail?: readonly string[];
}

const NO_EMAIL = 'none';

export const run = deployWith(runCdk);

export function deployWith(cdk: RunCdk): Run {
  return defineCommand<DeployOptions>(
    createCdkCommand('deploy', 'Puts the app into your AWS account.', {
      yes: 'ask nothing: roles and policies are made as the templates say',
      outputs: 'where to write the outputs',
    }).option(
      '--alarm-email <address>',
      `subscribe an address to the alarms, now and at every later deployment; may be repeated; ${NO_EMAIL} ends it`,
      repeated(emailAddress),
    ),
    async ({ options, args, context }) => {
      const { stage } = options;
      const file = outputsFile(options.outputs, context);
      const emails = alarmEmails(options, await awsOutputsOf(file));
      await approve(
        options,
        `This puts the stage ${stage} into your AWS account: its stacks, with the roles and policies of their functions.`,
      );

      const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-deploy-'));
      try {
        const written = path.join(folder, 'outputs.json');
        const exitCode = await cdk(context, [
          'deploy',
          '--all',
          '--outputs-file',
          written,
          ...(emails.length === 0 ? [] : ['--context', `alarmEmail=${emails.join(',')}`]),
          ...cdkArguments(options, args, ['--require-approval', 'never']),
        ]);
        if (exitCode !== 0) {
          printError(AFTER_FAILURE);
          return 1;
        }
        await keepOutputs(file, stage, await readFile(written, 'utf8').catch(() => '{}'));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      print(nextSteps(options, emails));
      return 0;
    },
  );
}

/** A template without addresses would end the subscriptions, so those of the last deployment stay. */
function alarmEmails(
  { alarmEmail, stage }: DeployOptions,
  known: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (alarmEmail !== undefined) return alarmEmail.filter((address) => address !== NO_EMAIL);
  const stack = v.safeParse(
    v.object({ AlarmEmail: v.string() }),
    known[stackNameOf(stage, 'CardSettlement')],
  );
  return stack.success ? stack.output.AlarmEmail.split(',') : [];
}

function emailAddress(text: string): string {
  if (text === NO_EMAIL || /^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(text)) return text;
  throw new InvalidArgumentError('It is an address such as me@example.com.');
}

const AFTER_FAILURE = [
  'The deployment failed; what cdk says above is why.',
  'API Gateway refuses now and then what it is asked at once ("concurrent modification"): the same command again goes on where it stopped.',
  'A new account and region needs npx cdk bootstrap first, once.',
].join('\n');

function nextSteps({ outputs, stage, profile }: DeployOptions, emails: readonly string[]): string {
  const options = [
    ...(stage === 'sandbox' ? [] : [` --stage ${stage}`]),
    ...(outputs === undefined ? [] : [` --outputs ${outputs}`]),
    ...(profile === undefined ? [] : [` --profile ${profile}`]),
  ].join('');
  const onlyOptions = options === '' ? '' : ` --${options}`;
  return [
    '',
    'Deployed.',
    ...(emails.length === 0
      ? ['Nobody is told of alarms: npm run deploy -- --alarm-email <address> subscribes somebody.']
      : [`AWS writes to ${emails.join(' and ')}, once for each stack with alarms: confirm it there.`]),
    'Next:',
    `  npm run smoke${onlyOptions}`,
    `  npm run -s token -- gateway${options}`,
    `  npm run users -- add alice${options}`,
    `  npm run destroy${onlyOptions}`,
  ].join('\n');
}
