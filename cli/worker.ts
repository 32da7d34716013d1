import path from 'node:path';
import process from 'node:process';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Argument } from 'commander';
import { stageConfig } from '../lib/config.ts';
import { CommandError, errorCode, usageError } from './shared/command-error.ts';
import { createDeploymentCommand, defineCommand, wholeNumber } from './shared/command.ts';
import { awsClientOptions, findDeployment, type DeploymentOptions } from './shared/outputs.ts';
import { countOf, print, printable, printError } from './shared/screen.ts';
import { invoking } from './worker/invoke.ts';
import { process as processQueue } from './worker/process.ts';
import { queues } from './worker/queues.ts';
import { untilStopped } from './worker/until-stopped.ts';
import { variablesOf } from './worker/variables.ts';

interface WorkerOptions extends DeploymentOptions {
  readonly batchSize: number;
  readonly wait: number;
  readonly envFile?: string;
}

/** `npm run worker -- settlement|reconcile|notification|drain`: works on a queue outside Lambda. */
export const run = defineCommand<WorkerOptions>(
  createDeploymentCommand(
    'worker',
    'Works on a queue outside Lambda, with the handler that Lambda would call, until Ctrl-C or SIGTERM.\nLocally, start the host with --without-worker, or the two share the messages.',
  )
    .addArgument(new Argument('<queue>', 'whose messages').choices(queues.map(({ name }) => name)))
    .option('--batch-size <number>', 'most messages at once: SQS gives 10 at most', wholeNumber(1, 10), 10)
    .option(
      '--wait <seconds>',
      'how long a poll waits for a first message: SQS waits 20 s at most',
      wholeNumber(1, 20),
      10,
    )
    .option(
      '--env-file <file>',
      "the function's variables, as JSON; on AWS they are needed (default: those of the local host)",
    ),
  async ({ options, args: [typed = ''], context }) => {
    const queue = queues.find(({ name }) => name === typed);
    if (queue === undefined) throw usageError(`There is no queue ${typed}.`);
    const { name, worker, stack, load } = queue;
    const deployment = await findDeployment(options, context);
    const outputs = deployment.outputs[stack];
    const queueUrl = outputs[`${worker}QueueUrl`];
    if (queueUrl === undefined) {
      throw new CommandError(`${deployment.file} has no ${worker}QueueUrl.`, {
        hint: 'Start the host again, or deploy the app again.',
      });
    }
    const envFile = options.envFile && path.resolve(context.workingFolder, options.envFile);
    const functionName = outputs[`${worker}WorkerFunction`] ?? '<name>';
    const variables = await variablesOf(deployment, worker, functionName, envFile);
    const aws = awsClientOptions(deployment.outputs);
    Object.assign(process.env, { AWS_REGION: aws.region }, variables);
    const { handler } = await load();

    const stopping = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
    // The polls use your credentials: no function's role may extend the visibility of messages.
    const requestTimeout = (options.wait + 10) * 1000;
    const sqs = new SQSClient({
      maxAttempts: 5,
      ...aws,
      requestHandler: { connectionTimeout: 1000, requestTimeout, throwOnRequestTimeout: true },
    });
    const limitSeconds = stageConfig(deployment.stage)[name].timeoutSeconds;
    const work = invoking({ handler, queueUrl, region: aws.region, limitSeconds });
    const consumer = processQueue({ queueUrl, sqs, waitTimeSeconds: options.wait, work }, options.batchSize);
    print(`${worker}: ${countOf(options.batchSize, 'message')} at most at a time. Ctrl-C stops it.`);
    const { done, failure } = await untilStopped(consumer, stopping.signal, printError);
    sqs.destroy();
    if (failure !== undefined) throw explained(failure, queueUrl);
    print(`Stopped after ${countOf(done, 'message')}.`);
    return 0;
  },
);

const HINTS: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'Start the host again, or deploy the app again; then start the worker again.',
  CredentialsProviderError: 'Sign in with aws configure or aws sso login, or name a profile with --profile.',
  AccessDenied:
    'You need sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue.',
};

function explained(failure: Error, queueUrl: string): CommandError {
  const hint =
    HINTS[errorCode(failure) ?? ''] ??
    'See that npm start, or the network, is up; then start the worker again.';
  return new CommandError(`${queueUrl} gives no messages: ${printable(failure.message)}`, {
    hint,
    cause: failure,
  });
}
