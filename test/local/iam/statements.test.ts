import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiGatewayManagementApi } from '@aws-sdk/client-apigatewaymanagementapi';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { SQS } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { HostEvent } from '../../../local/services.ts';
import { startLocalHost } from '../../../local/host.ts';
import type { LocalHost } from '../../../local/host.ts';
import type { Json, JsonObject } from '../../../local/template/template.ts';
import { eventually } from '../../eventually.ts';

/** Goal: a host holds any app to the policies of its templates. Method: small templates, the real SDK with roles' credentials. */

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: JsonObject }>>;

async function start(
  Resources: Resources,
  Outputs: JsonObject = {},
): Promise<{ readonly host: LocalHost; readonly events: readonly HostEvent[] }> {
  const assembly = mkdtempSync(join(tmpdir(), 'iam-'));
  folders.push(assembly);
  const artifacts = { Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.json' } } };
  writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ artifacts }));
  writeFileSync(join(assembly, 'Shop.json'), JSON.stringify({ Resources, Outputs }));
  const events: HostEvent[] = [];
  const host = await startLocalHost({
    assembly,
    port: 0,
    awsPort: 0,
    onEvent: (event) => events.push(event),
  });
  return { host, events };
}

async function refusal(resources: Resources): Promise<string> {
  try {
    await (await start(resources)).host.stop();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'not refused';
}

const attribute = (logicalId: string, name = 'Arn'): JsonObject => ({ 'Fn::GetAtt': [logicalId, name] });
const ref = (logicalId: string): JsonObject => ({ Ref: logicalId });
const trust = (Service: string): JsonObject => ({
  Statement: { Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' },
});
const allow = (Action: Json, Resource: Json, more: JsonObject = {}): JsonObject => ({
  Statement: [{ Effect: 'Allow', Action, Resource, ...more }],
});
const role = (more: JsonObject = {}, service = 'lambda.amazonaws.com') => ({
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: trust(service), ...more },
});
const inline = (...documents: readonly JsonObject[]): JsonObject => ({
  Policies: documents.map((PolicyDocument, index) => ({ PolicyName: `P${index}`, PolicyDocument })),
});
const table = (more: JsonObject = {}) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    ...more,
  },
});
const queue = { Type: 'AWS::SQS::Queue', Properties: {} };
const lambda = (code: string, more: JsonObject = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { ZipFile: code },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: attribute('Role'),
    ...more,
  },
});

/** An app whose one function does nothing, and what its role's credentials may do with a table and a queue. */
async function attempts(roleProperties: JsonObject, more: Resources = {}, tableMore: JsonObject = {}) {
  const { host, events } = await start(
    {
      Things: table(tableMore),
      Inbox: queue,
      Role: role(roleProperties),
      Worker: lambda('exports.handler = async () => 1;'),
      ...more,
    },
    { Table: { Value: ref('Things') }, Queue: { Value: ref('Inbox') } },
  );
  const { Table: TableName, Queue: QueueUrl } = host.outputs['Shop'] ?? {};
  const { credentials } = host.functions[0] ?? {};
  if (credentials === undefined) throw new Error('The app has no function.');
  const client = { region: host.region, endpoint: host.awsEndpoint, credentials, maxAttempts: 1 };
  const named = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    );
  const outcome = {
    put: await named(new DynamoDB(client).putItem({ TableName, Item: { id: { S: 'a' } } })),
    send: await named(new SQS(client).sendMessage({ QueueUrl, MessageBody: 'x' })),
    post: await named(
      new ApiGatewayManagementApi({ ...client, endpoint: `${host.awsEndpoint}/abc/live` }).postToConnection({
        ConnectionId: 'x=',
        Data: 'x',
      }),
    ),
  };
  await host.stop();
  return { ...outcome, events };
}

describe('a role', () => {
  test('without a policy may do nothing, and each SDK client names the error as on AWS', async () => {
    const { put, send, post, events } = await attempts({});
    const who =
      /User: arn:aws:sts::000000000000:assumed-role\/Shop-Role-\w+\/Shop-Worker-\w+ is not authorized/;
    for (const answer of [put, send, post]) expect(answer).toMatch(who);
    expect(put).toMatch(/^AccessDeniedException: .* dynamodb:PutItem on resource: arn:aws:dynamodb:/);
    expect(send).toMatch(/^AccessDenied(Exception)?: .* sqs:sendmessage on resource: arn:aws:sqs:/);
    expect(post).toMatch(
      /^AccessDeniedException: .* execute-api:ManageConnections on resource: .*\{connectionId\}$/,
    );
    expect(events.filter(({ type }) => type === 'access-denied')).toHaveLength(3);
  });

  test.each<[string, JsonObject, Resources]>([
    ['inline policies', inline(allow('dynamodb:PutItem', attribute('Things')), allow('sqs:*', '*')), {}],
    [
      'policies that name it',
      {},
      {
        Policy: {
          Type: 'AWS::IAM::Policy',
          Properties: {
            PolicyName: 'P',
            Roles: [ref('Role')],
            PolicyDocument: allow(
              ['dynamodb:PutItem', 'sqs:SendMessage'],
              [attribute('Things'), attribute('Inbox')],
            ),
          },
        },
      },
    ],
    [
      'managed policies of the app',
      { ManagedPolicyArns: [ref('Managed')] },
      {
        Managed: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { PolicyDocument: allow(['dynamodb:*', 'sqs:*'], '*') },
        },
      },
    ],
    [
      'managed policies that name it',
      {},
      {
        Managed: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { Roles: [ref('Role')], PolicyDocument: allow(['dynamodb:*', 'sqs:*'], '*') },
        },
      },
    ],
  ])('may do what %s say, and nothing else', async (_, properties, more) => {
    const { put, send, post } = await attempts(properties, more);
    expect([put, send]).toEqual(['done', 'done']);
    expect(post).toContain('AccessDenied');
  });

  test('may do what the policy of a table or a queue lets it, and is denied what that denies', async () => {
    const grant = { Principal: { AWS: attribute('Role') } };
    const { put, send } = await attempts(
      inline(allow('sqs:SendMessage', '*')),
      {
        QueuePolicy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: [ref('Inbox')],
            PolicyDocument: {
              Statement: { Effect: 'Deny', Action: 'sqs:SendMessage', Resource: '*', ...grant },
            },
          },
        },
      },
      { ResourcePolicy: { PolicyDocument: allow('dynamodb:PutItem', '*', grant) } },
    );
    expect(put).toBe('done');
    expect(send).toMatch(/with an explicit deny in a resource-based policy$/);
  });

  test('is bounded by its permissions boundary', async () => {
    const { put, send } = await attempts(
      { ...inline(allow(['dynamodb:*', 'sqs:*'], '*')), PermissionsBoundary: ref('Boundary') },
      {
        Boundary: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { PolicyDocument: allow('sqs:*', '*') },
        },
      },
    );
    expect(send).toBe('done');
    expect(put).toContain('because no permissions boundary allows the dynamodb:PutItem action');
  });
});

test('without a log group of the app, a function needs the right to make its own', async () => {
  for (const [actions, isLogged] of [
    [['logs:CreateLogStream', 'logs:PutLogEvents'], false],
    [['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], true],
  ] as const) {
    const { host, events } = await start({
      Role: role(inline(allow([...actions], '*'))),
      Worker: lambda("exports.handler = async () => console.log('I run');"),
      ...scheduled('Worker'),
      SchedulerRole: role(
        inline(allow('lambda:InvokeFunction', attribute('Worker'))),
        'scheduler.amazonaws.com',
      ),
    });
    await host.schedules[0]?.fire();
    await eventually(() => events.some(({ type }) => type === 'invocation'));
    const lines = events.filter((event) => event.type === 'log' && event.line.includes('I run'));
    expect(lines).toHaveLength(isLogged ? 1 : 0);
    const told = events.flatMap((event) => (event.type === 'access-denied' ? [event.message] : []));
    expect(told).toEqual(isLogged ? [] : [expect.stringContaining('logs:CreateLogGroup')]);
    await host.stop();
  }
});

const scheduled = (target: string): Resources => ({
  Schedule: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      ScheduleExpression: 'rate(1 day)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: attribute(target),
        RoleArn: attribute('SchedulerRole'),
        RetryPolicy: { MaximumRetryAttempts: 0 },
      },
    },
  },
});

test('a schedule invokes only the function that its role may invoke', async () => {
  const { host, events } = await start({
    Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'] }),
    Worker: lambda('exports.handler = async () => 1;'),
    ...scheduled('Worker'),
    SchedulerRole: role({}, 'scheduler.amazonaws.com'),
  });
  await host.schedules[0]?.fire();
  expect(events).toContainEqual({
    type: 'access-denied',
    message: expect.stringMatching(/assumed-role\/Shop-SchedulerRole-.* lambda:InvokeFunction on resource/),
  });
  expect(events.filter(({ type }) => type === 'invocation')).toEqual([]);
  await host.stop();
});

test.each<[string, Resources, string]>([
  [
    'a condition on an unknown key',
    {
      Role: role(
        inline(allow('dynamodb:*', '*', { Condition: { StringEquals: { 'dynamodb:LeadingKeys': 'x' } } })),
      ),
    },
    'Shop/Role (AWS::IAM::Role): Policies[0].PolicyDocument.Statement[0]: the local host does not know the condition key dynamodb:LeadingKeys.',
  ],
  [
    'a condition by an unknown operator',
    { Role: role(inline(allow('sqs:*', '*', { Condition: { IpAddress: { 'aws:SourceArn': 'x' } } }))) },
    'the local host does not know the condition operator IpAddress.',
  ],
  [
    'an unknown policy of AWS',
    { Role: role({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonBraketFullAccess'] }) },
    'the local host does not know what the policy arn:aws:iam::aws:policy/AmazonBraketFullAccess says.',
  ],
  [
    'a role of another app',
    { Worker: lambda('', { Role: 'arn:aws:iam::000000000000:role/elsewhere' }) },
    'arn:aws:iam::000000000000:role/elsewhere names no role of this app.',
  ],
  [
    'a permission for no function',
    {
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: 'x',
          Principal: 'apigateway.amazonaws.com',
        },
      },
    },
    'FunctionName x names no function of this app.',
  ],
])('%s stops the start, and says where it stands', async (_, resources, message) => {
  expect(await refusal(resources)).toContain(message);
});
