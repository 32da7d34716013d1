import { printError } from './shared/screen.ts';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
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
import { awsOutputsOf, keepOutputs } from './deploy/aws-outputs.ts';

interface DeployOptions extends Approval {
  readonly stage: DeployableStage;
  readonly outputs?: string;
  readonly alarmEmail?: readonly string[];
  readonly profile?: string;
}

/** What takes an address away that an earlier deployment subscribed. */
const noEmail = 'none';

/** `npm run deploy`: `cdk deploy --all`, and its outputs beside those of other stages; further arguments go to cdk. */
export async function run(
  argv: readonly string[],
  context: CommandContext,
  cdk: RunCdk = runCdk,
): Promise<number> {
  const command = createCommand(
    'deploy',
    'Puts the app into your AWS account. Further arguments go to cdk deploy.',
  )
    .addOption(stageOption().default('sandbox'))
    .option(
      '--alarm-email <address>',
      `subscribe an address to the alarms, now and at every later deployment; may be repeated; ${noEmail} ends it`,
      emailAddress,
    )
    .option('--yes', 'ask nothing: roles and policies are made as the templates say')
    .option('--outputs <file>', 'where to write the outputs (default: outputs.json of the project)')
    .addOption(profileOption())
    .argument('[cdk arguments...]')
    .allowUnknownOption();
  const exitCode = parseArguments(command, argv);
  if (exitCode !== undefined) return exitCode;
  const options = command.opts<DeployOptions>();
  const { stage } = options;
  const file = outputsFile(options.outputs, context);
  const known = await awsOutputsOf(file);
  const emails = alarmEmails(options, known);
  await approve(
    options,
    `This puts the stage ${stage} into your AWS account: its stacks, with the roles and policies of their functions.`,
  );

  const folder = await mkdtemp(path.join(tmpdir(), 'duotempo-deploy-'));
  try {
    const written = path.join(folder, 'outputs.json');
    const status = await cdk(context, [
      'deploy',
      '--all',
      '--outputs-file',
      written,
      '--context',
      `stage=${stage}`,
      ...(emails.length === 0 ? [] : ['--context', `alarmEmail=${emails.join(',')}`]),
      ...cdkArguments(options, command.args, ['--require-approval', 'never']),
    ]);
    if (status !== 0) {
      printError(afterFailure);
      return 1;
    }
    await keepOutputs(file, stage, await readFile(written, 'utf8').catch(() => '{}'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.stdout.write(nextSteps(options, emails));
  return 0;
}

/** Those of the command line, else those of the last deployment: one that names none would end the subscriptions. */
function alarmEmails(
  { alarmEmail, stage }: DeployOptions,
  known: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (alarmEmail !== undefined) return alarmEmail.filter((address) => address !== noEmail);
  const stack = v.safeParse(
    v.object({ AlarmEmail: v.string() }),
    known[stackNameOf(stage, 'CardSettlement')],
  );
  return stack.success ? stack.output.AlarmEmail.split(',') : [];
}

function emailAddress(text: string, earlier: readonly string[] = []): readonly string[] {
  if (text !== noEmail && !/^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(text)) {
    throw new InvalidArgumentError('It is an address such as me@example.com.');
  }
  return [...earlier, text];
}

const afterFailure = [
  'The deployment failed; what cdk says above is why.',
  'API Gateway refuses now and then what it is asked at once ("concurrent modification"): the same command again goes on where it stopped.',
  'A new account and region needs npx cdk bootstrap first, once.',
].join('\n');

function nextSteps({ outputs, stage, profile }: DeployOptions, emails: readonly string[]): string {
  const option = [
    ...(stage === 'sandbox' ? [] : [` --stage ${stage}`]),
    ...(outputs === undefined ? [] : [` --outputs ${outputs}`]),
    ...(profile === undefined ? [] : [` --profile ${profile}`]),
  ].join('');
  return [
    '',
    'Deployed.',
    ...(emails.length === 0
      ? ['Nobody is told of alarms: npm run deploy -- --alarm-email <address> subscribes somebody.']
      : [`AWS writes to ${emails.join(' and ')}, once for each stack with alarms: confirm it there.`]),
    'Next:',
    `  npm run smoke${option === '' ? '' : ` --${option}`}`,
    `  npm run -s token -- gateway${option}`,
    `  npm run users -- add alice${option}`,
    `  npm run destroy${option === '' ? '' : ` --${option}`}`,
    '',
  ].join('\n');
}
