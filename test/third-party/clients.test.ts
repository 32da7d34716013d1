import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startChat } from '../end-to-end/chat/people.ts';
import type { People } from '../end-to-end/chat/people.ts';
import { sale, textOf } from '../end-to-end/system.ts';
import type { System } from '../end-to-end/system.ts';
import { describeJudge } from './judges/judge.ts';
import { HOW_TO_INSTALL, pythonCommand } from './judges/programs.mjs';

/**
 * Goal: clients that nobody of this project wrote can use the host.
 * Method: boto3, the AWS CLI, Java's HttpClient, Python's http.client and curl talk to one running host; what the host
 * does not serve names itself in the words of each service's protocol.
 */

const execute = promisify(execFile);
const clients = join(import.meta.dirname, 'clients');
const boto3 = pythonCommand('boto3');
const awsCli = pythonCommand('awscli');
const java = await versionOf('java', '-version');
const curl = await versionOf('curl', '--version');

let system: System;
let people: People;

beforeAll(async () => {
  ({ system, people } = await startChat());
});

afterAll(async () => {
  await people.stop();
  await system.stop();
});

/** @returns what it wrote, or undefined where this machine has no such program */
async function versionOf(program: string, option: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await execute(program, [option]);
    return stdout + stderr;
  } catch {
    return undefined;
  }
}

/** A client that tries a refused call again and again takes longer. */
const MAXIMUM_MILLISECONDS = 60_000;

const settings = {
  AWS_ACCESS_KEY_ID: 'operator',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_DEFAULT_REGION: 'us-east-1',
  // Nothing of the person at the keyboard.
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};

describeJudge('boto3', boto3 === undefined ? HOW_TO_INSTALL : undefined, (tally) => {
  let steps: Readonly<Record<string, unknown>>;

  beforeAll(async () => {
    const { DuotempoChat } = system.outputs;
    const names = ['MessagePipeDeadLetterQueueUrl', 'MessagesTable'].map((name) =>
      textOf(DuotempoChat, name),
    );
    const args = [join(clients, 'boto3_calls.py'), system.host.awsEndpoint, ...names];
    const { stdout } = await execute(boto3 ?? '', args, { env: settings, timeout: MAXIMUM_MILLISECONDS });
    steps = JSON.parse(stdout) as typeof steps;
  });

  test.each<[string, unknown]>([
    ['batch sent', 3],
    ['received', ['batch 0', 'batch 1', 'batch 2', 'one']],
    ['attributes', [{ kind: { DataType: 'String', StringValue: 'test' } }]],
    ['batch deleted', 3],
    ['nothing received', false],
    ['queues, by pages', [true, true]],
    ['received by a resource', ['by a resource']],
    ['bad receipt', expect.objectContaining({ Code: 'ReceiptHandleIsInvalid' })],
    ['no such queue', expect.objectContaining({ Code: 'AWS.SimpleQueueService.NonExistentQueue' })],
    ['got', { sensor: 'a', at: 0, value: '1.5', tags: ['x', 'y'], raw: '00ff' }],
    ['queried', [5, 10]],
    ['scanned, by pages', [[25, 25, 10], 60]],
    ['condition', expect.objectContaining({ Code: 'ConditionalCheckFailedException' })],
    ['updated', 1],
    [
      'transaction',
      {
        Code: 'UnknownOperationException',
        Message: expect.stringContaining('does not serve dynamodb: TransactWriteItems.'),
      },
    ],
    ['no such table', expect.objectContaining({ Code: 'ResourceNotFoundException' })],
    ['tables, by pages', [true, true, false]],
    ['first record', ['INSERT', ['conversationId', 'sequence']]],
    ['caller', 'arn:aws:iam::000000000000:root'],
    [
      'unserved',
      ['lambda', 'monitoring', 's3', 'iam', 'route53', 'logs'].map((service) =>
        expect.objectContaining({
          Code: 'UnknownOperationException',
          Message: expect.stringContaining(`The local AWS endpoint does not serve ${service}: `),
        }),
      ),
    ],
  ])('%s', (step, expected) => {
    expect(steps[step]).toEqual(expected);
    tally.agree();
  });
});

interface AwsCall {
  readonly args: string;
  /** What it wrote, where the host serves it. */
  readonly writes?: string;
  /** The service as AWS signs it and the operation as the CLI names it, where the host does not serve it. */
  readonly unserved?: readonly [service: string, operation: string];
}

const AWS_CALLS: readonly AwsCall[] = [
  { args: 'dynamodb list-tables', writes: '"TableNames"' },
  { args: 'dynamodb scan --table-name MESSAGES_TABLE --max-items 1', writes: '"conversationId"' },
  { args: 'sqs list-queues', writes: '"QueueUrls"' },
  { args: 'sqs send-message --queue-url QUEUE_URL --message-body from-aws', writes: '"MessageId"' },
  { args: 'sqs receive-message --queue-url QUEUE_URL --wait-time-seconds 5', writes: '"from-aws"' },
  { args: 'sqs start-message-move-task --source-arn DEAD_LETTER_ARN', writes: '"TaskHandle"' },
  { args: 'sqs list-message-move-tasks --source-arn DEAD_LETTER_ARN', writes: '"Results"' },
  { args: 'dynamodbstreams list-streams', writes: '"StreamArn"' },
  { args: 'sts get-caller-identity', writes: '"Account": "000000000000"' },
  { args: 'cognito-idp list-user-pools --max-results 5', writes: '"UserPools"' },
  { args: 'lambda list-functions', unserved: ['lambda', 'ListFunctions'] },
  { args: 'apigatewayv2 get-apis', unserved: ['apigateway', 'GetApis'] },
  { args: 'pipes list-pipes', unserved: ['pipes', 'ListPipes'] },
  { args: 'scheduler list-schedules', unserved: ['scheduler', 'ListSchedules'] },
  { args: 'events list-rules', unserved: ['events', 'ListRules'] },
  { args: 'cloudformation describe-stacks', unserved: ['cloudformation', 'DescribeStacks'] },
  { args: 'logs describe-log-groups', unserved: ['logs', 'DescribeLogGroups'] },
  { args: 'cloudwatch describe-alarms', unserved: ['monitoring', 'DescribeAlarms'] },
  { args: 's3 ls', unserved: ['s3', 'ListBuckets'] },
  { args: 'iam list-roles', unserved: ['iam', 'ListRoles'] },
  { args: 'kms list-keys', unserved: ['kms', 'ListKeys'] },
  { args: 'sns list-topics', unserved: ['sns', 'ListTopics'] },
  { args: 'ec2 describe-instances', unserved: ['ec2', 'DescribeInstances'] },
  { args: 'route53 list-hosted-zones', unserved: ['route53', 'ListHostedZones'] },
  { args: 'cloudfront list-distributions', unserved: ['cloudfront', 'ListDistributions'] },
  { args: 'dynamodb list-backups', unserved: ['dynamodb', 'ListBackups'] },
  { args: 'sqs create-queue --queue-name new', unserved: ['sqs', 'CreateQueue'] },
  { args: 'cognito-idp list-groups --user-pool-id POOL', unserved: ['cognito-idp', 'ListGroups'] },
];

describeJudge('the AWS CLI', awsCli === undefined ? HOW_TO_INSTALL : undefined, (tally) => {
  let ended: readonly { readonly exitCode: number; readonly stdout: string; readonly stderr: string }[];

  beforeAll(async () => {
    const { DuotempoChat, DuotempoCardSettlement } = system.outputs;
    const argumentsOf = ({ args }: AwsCall): readonly string[] => [
      ...['--endpoint-url', system.host.awsEndpoint],
      ...args
        .replace('MESSAGES_TABLE', textOf(DuotempoChat, 'MessagesTable'))
        .replace('QUEUE_URL', textOf(DuotempoChat, 'MessagePipeDeadLetterQueueUrl'))
        .replace('POOL', system.outputs.DuotempoIdentity.UserPoolId)
        .replace('DEAD_LETTER_ARN', textOf(DuotempoCardSettlement, 'SettlementDeadLetterQueueArn'))
        .split(' '),
    ];
    const python = join(awsCli ?? '', '..', 'python');
    const all = JSON.stringify(AWS_CALLS.map(argumentsOf));
    const { stdout } = await execute(python, [join(clients, 'aws_calls.py'), all], {
      env: settings,
      timeout: MAXIMUM_MILLISECONDS,
    });
    ended = JSON.parse(stdout) as typeof ended;
  });

  test.each(AWS_CALLS.map((call, index) => ({ ...call, index })))(
    'aws $args',
    ({ writes, unserved, index }) => {
      const { exitCode, stdout, stderr } = ended[index] ?? {};
      if (unserved === undefined) {
        expect({ exitCode, stderr, stdout }).toMatchObject({ exitCode: 0, stderr: '' });
        expect(stdout).toContain(writes);
      } else {
        const [service, operation] = unserved;
        expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: '' });
        const refusal = `${operation} operation: The local AWS endpoint does not serve ${service}: `;
        expect(stderr).toContain(refusal);
      }
      tally.agree();
    },
  );
});

const javaVersion = Number(/version "(\d+)/.exec(java ?? '')?.[1] ?? 0);

describeJudge(
  "Java's HttpClient",
  javaVersion < 17 ? 'a Java of version 17 or later' : undefined,
  (tally) => {
    test('makes sales, and pushes a message to a WebSocket', async () => {
      const [alice, bob] = [people.person('alice'), people.person('bob')];
      const { ApiUrl, WebSocketUrl } = system.outputs.DuotempoChat;
      const { stdout } = await execute('java', [
        join(clients, 'Client.java'),
        ...[
          system.outputs.DuotempoCardSettlement.ApiUrl,
          await system.token('gateway'),
          JSON.stringify(sale()),
        ],
        ...[ApiUrl, await alice.token()],
        JSON.stringify({ to: bob.name, text: 'from Java', clientMessageId: randomUUID() }),
        `${WebSocketUrl}?token=${encodeURIComponent(await bob.token())}`,
      ]);
      const told = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t'));
      expect(
        told.map(([what, answer]) => (/^\d+$/.test(answer ?? '') ? `${what}: ${answer}` : what)),
      ).toEqual([
        'sale: 201',
        'the same sale: 200',
        'sale in chunks: 201',
        'no token: 401',
        ...Array.from({ length: 10 }, () => 'sale at once: 201'),
        'hello',
        'message: 201',
        'pushed',
      ]);
      expect(told.at(-1)?.[1]).toContain('"text":"from Java"');
      tally.agree(told.length);
    });
  },
);

const hasHttp2 = curl?.includes('HTTP2') === true;

describeJudge('curl', hasHttp2 ? undefined : 'curl 7.82 or later, with HTTP/2', (tally) => {
  test.each(['--http2', '--http1.0'])('%s makes a sale', async (option) => {
    const { stdout } = await execute('curl', [
      ...['--silent', '--show-error', option, '--request', 'POST', '--write-out', ' %{http_code}'],
      ...['--header', `authorization: Bearer ${await system.token('gateway')}`],
      ...['--header', `idempotency-key: ${randomUUID()}`, '--json', JSON.stringify(sale())],
      `${system.outputs.DuotempoCardSettlement.ApiUrl}/transactions`,
    ]);
    expect(stdout).toMatch(/"status":"\w+".* 201$/);
    tally.agree();
  });
});
