import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadAssembly } from '../../../local/template/assembly.ts';
import type { HostEvent } from '../../../local/services.ts';
import { startLocalHost } from '../../../local/host.ts';
import { PortTakenError } from '../../../local/services.ts';
import { eventually } from '../../eventually.ts';

// Small cloud assemblies, written by hand, and the host that runs them.

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

interface Stack {
  readonly name: string;
  readonly template: object;
  readonly dependsOn?: readonly string[];
  readonly assets?: object;
}

function assembly(...stacks: readonly Stack[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'assembly-'));
  folders.push(folder);
  const artifacts: Record<string, object> = {};
  for (const { name, template, dependsOn = [], assets } of stacks) {
    writeFileSync(join(folder, `${name}.template.json`), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      properties: { templateFile: `${name}.template.json` },
      dependencies: [...dependsOn, `${name}.assets`],
    };
    if (assets === undefined) continue;
    writeFileSync(join(folder, `${name}.assets.json`), JSON.stringify({ files: assets }));
    artifacts[`${name}.assets`] = { type: 'cdk:asset-manifest', properties: { file: `${name}.assets.json` } };
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
  return folder;
}

const start = (folder: string) => startLocalHost({ assembly: folder, port: 0, awsPort: 0 });

const queue = (properties: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties });

/** A role of functions, which may do whatever their event source mappings need. */
const role = {
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: {
        Effect: 'Allow',
        Principal: { Service: 'lambda.amazonaws.com' },
        Action: 'sts:AssumeRole',
      },
    },
    ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole'],
  },
};

const inlineFunction = (code: string, more: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { ZipFile: code },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    ...more,
  },
});

test('stacks come after those they depend on, and know the folders of their assets', () => {
  const folder = assembly(
    { name: 'Later', template: {}, dependsOn: ['Earlier'] },
    {
      name: 'Earlier',
      template: {},
      assets: { abc: { source: { path: 'asset.abc' }, destinations: { here: { objectKey: 'abc.zip' } } } },
    },
  );
  const stacks = loadAssembly(folder);
  expect(stacks.map(({ stackName }) => stackName)).toEqual(['Earlier', 'Later']);
  expect(stacks[0]?.assetFolder('abc.zip')).toBe(join(folder, 'asset.abc'));
  expect(stacks[1]?.assetFolder('abc.zip')).toBeUndefined();
});

test('a folder without an assembly is refused with what to do', () => {
  const folder = assembly();
  mkdirSync(join(folder, 'empty'));
  expect(() => loadAssembly(join(folder, 'empty'))).toThrow(
    'holds no cloud assembly (no manifest.json). Run `cdk synth` first.',
  );
});

test('outputs have the shape of cdk deploy, and one stack imports what another exports', async () => {
  const host = await start(
    assembly(
      {
        name: 'Later',
        dependsOn: ['Earlier'],
        template: { Outputs: { Copy: { Value: { 'Fn::ImportValue': 'Earlier:Url' } } } },
      },
      {
        name: 'Earlier',
        template: {
          Resources: { Inbox: queue() },
          Outputs: {
            Url: { Value: { Ref: 'Inbox' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Url' } } },
          },
        },
      },
    ),
  );
  const url = expect.stringMatching(
    new RegExp(`^${host.awsEndpoint}/000000000000/Earlier-Inbox-[0-9a-f]{6}$`),
  );
  expect(host.outputs).toEqual({ Earlier: { Url: url }, Later: { Copy: url } });
  expect(host.outputs['Later']?.['Copy']).toBe(host.outputs['Earlier']?.['Url']);
  await host.stop();
});

test('resources are made in the order of their references, and not where their condition is false', async () => {
  const host = await start(
    assembly({
      name: 'Shop',
      template: {
        Conditions: { IsHere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'nowhere'] } },
        Parameters: { Seconds: { Type: 'Number', Default: 45 } },
        Resources: {
          Inbox: queue({
            VisibilityTimeout: { Ref: 'Seconds' },
            RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 2 },
          }),
          Dead: queue(),
          Other: { ...queue(), Condition: 'IsHere' },
        },
        Outputs: {
          Name: { Value: { 'Fn::GetAtt': ['Dead', 'QueueName'] } },
          Other: { Value: { Ref: 'Other' }, Condition: 'IsHere' },
        },
      },
    }),
  );
  expect(host.outputs).toEqual({ Shop: { Name: expect.stringMatching(/^Shop-Dead-/) } });
  await host.stop();
});

test('urls that a template builds by hand lead to this machine', async () => {
  const join = (...parts: readonly unknown[]) => ({ Value: { 'Fn::Join': ['', parts] } });
  const host = await start(
    assembly({
      name: 'Shop',
      template: {
        Resources: {
          Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'FrontDesk', ProtocolType: 'HTTP' } },
          Stage: {
            Type: 'AWS::ApiGatewayV2::Stage',
            Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
          },
          Pool: { Type: 'AWS::Cognito::UserPool', Properties: {} },
          Domain: {
            Type: 'AWS::Cognito::UserPoolDomain',
            Properties: { Domain: 'shop', UserPoolId: { Ref: 'Pool' } },
          },
        },
        Outputs: {
          Api: join(
            'https://',
            { Ref: 'Api' },
            '.execute-api.',
            { Ref: 'AWS::Region' },
            '.',
            { Ref: 'AWS::URLSuffix' },
            '/',
          ),
          Endpoint: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
          Issuer: join('https://cognito-idp.us-east-1.amazonaws.com/', { Ref: 'Pool' }),
          Provider: { Value: { 'Fn::GetAtt': ['Pool', 'ProviderURL'] } },
          Token: join('https://', { Ref: 'Domain' }, '.auth.us-east-1.amazoncognito.com/oauth2/token'),
        },
      },
    }),
  );
  expect(host.outputs['Shop']).toEqual({
    Api: `${host.url}/front-desk/`,
    Endpoint: `${host.url}/front-desk`,
    Issuer: `${host.url}/identity`,
    Provider: `${host.url}/identity`,
    Token: `${host.url}/identity/oauth2/token`,
  });
  const keys = await fetch(`${host.url}/identity/.well-known/jwks.json`);
  expect(keys.status).toBe(200);
  // As cognito-idp's endpoint serves them on AWS, to everybody.
  const [{ userPoolId } = { userPoolId: '' }] = host.userPools;
  const wellKnown = `${host.awsEndpoint}/${userPoolId}/.well-known`;
  expect(await (await fetch(`${wellKnown}/jwks.json`)).json()).toEqual(await keys.json());
  expect(await (await fetch(`${wellKnown}/openid-configuration`)).json()).toMatchObject({
    issuer: `${host.url}/identity`,
  });
  expect((await fetch(`${host.awsEndpoint}/${userPoolId}/oauth2/token`)).status).toBe(400);
  await host.stop();
});

test('several assemblies live on one host, each user pool at a place of its own', async () => {
  const shop = (name: string) =>
    assembly({
      name,
      template: {
        Resources: { Pool: { Type: 'AWS::Cognito::UserPool', Properties: {} }, Queue: queue() },
        Outputs: {
          Issuer: { Value: { 'Fn::GetAtt': ['Pool', 'ProviderURL'] } },
          Queue: { Value: { Ref: 'Queue' } },
        },
      },
    });
  const host = await startLocalHost({ assembly: [shop('North'), shop('South')], port: 0, awsPort: 0 });
  const { North: north, South: south } = host.outputs;
  expect(north?.['Queue']).not.toBe(south?.['Queue']);
  for (const { Issuer: issuer = '' } of [north ?? {}, south ?? {}]) {
    const discovered: unknown = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    expect(discovered).toMatchObject({ issuer });
  }
  expect(north?.['Issuer']).not.toBe(south?.['Issuer']);
  await host.stop();
});

test('two stacks of one name are refused: on AWS the second would be an update of the first', async () => {
  const twin = assembly({ name: 'Shop', template: { Resources: { Queue: queue() } } });
  await expect(startLocalHost({ assembly: [twin, twin], port: 0, awsPort: 0 })).rejects.toThrow(
    'There are two stacks of the name Shop.',
  );
});

test.each([
  [
    'a reference to nothing',
    { Inbox: queue({ DelaySeconds: { Ref: 'Nothing' } }) },
    'Shop/Inbox (AWS::SQS::Queue): DelaySeconds: Ref names Nothing, which does not exist',
  ],
  [
    'a circle',
    { A: queue({ QueueName: { Ref: 'B' } }), B: queue({ QueueName: { Ref: 'A' } }) },
    'circular dependency: A → B → A',
  ],
  [
    'a number out of range',
    { Inbox: queue({ DelaySeconds: 901 }) },
    'DelaySeconds must be between 0 and 900, not 901',
  ],
  [
    'a property nobody knows',
    { Inbox: queue({ Colour: 'blue' }) },
    'Shop/Inbox (AWS::SQS::Queue) Colour: this property is not supported',
  ],
  [
    'a function that may run longer than its messages stay hidden',
    {
      Inbox: queue({ VisibilityTimeout: 10 }),
      Role: role,
      Worker: inlineFunction('', { Timeout: 11 }),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: { 'Fn::GetAtt': ['Inbox', 'Arn'] }, FunctionName: { Ref: 'Worker' } },
      },
    },
    'Queue visibility timeout: 10 seconds is less than Function timeout: 11 seconds',
  ],
  [
    'a batch over 10 without a window',
    {
      Inbox: queue(),
      Role: role,
      Worker: inlineFunction(''),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Inbox', 'Arn'] },
          FunctionName: { Ref: 'Worker' },
          BatchSize: 11,
        },
      },
    },
    'BatchSize 11 is over 10, which needs MaximumBatchingWindowInSeconds of at least 1',
  ],
  [
    'a maximum concurrency under 2',
    {
      Inbox: queue(),
      Role: role,
      Worker: inlineFunction(''),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Inbox', 'Arn'] },
          FunctionName: { Ref: 'Worker' },
          ScalingConfig: { MaximumConcurrency: 1 },
        },
      },
    },
    'ScalingConfig.MaximumConcurrency must be between 2 and 1000, not 1',
  ],
])('%s stops the start, and says where it stands', async (_, resources, message) => {
  await expect(start(assembly({ name: 'Shop', template: { Resources: resources } }))).rejects.toThrow(
    message,
  );
});

test('a port that is taken names the option to change', async () => {
  const other = createServer();
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = other.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const folder = assembly({ name: 'Shop', template: { Resources: {} } });
  for (const option of ['port', 'awsPort'] as const) {
    const attempt = startLocalHost({ assembly: folder, port: 0, awsPort: 0, [option]: port });
    await expect(attempt).rejects.toThrow(PortTakenError);
    await expect(attempt).rejects.toMatchObject({ port, option });
  }
  await new Promise((resolve) => {
    other.close(resolve);
  });
});

test('the host stops within a second though pollers wait and a function runs', async () => {
  const events: HostEvent[] = [];
  const host = await startLocalHost({
    port: 0,
    awsPort: 0,
    onEvent: (event) => events.push(event),
    assembly: assembly({
      name: 'Shop',
      template: {
        Resources: {
          Inbox: queue(),
          Role: role,
          Worker: inlineFunction(
            "exports.handler = () => new Promise((resolve) => { console.log('running'); setTimeout(resolve, 20000); });",
            { Timeout: 30 },
          ),
          Mapping: {
            Type: 'AWS::Lambda::EventSourceMapping',
            Properties: {
              EventSourceArn: { 'Fn::GetAtt': ['Inbox', 'Arn'] },
              FunctionName: { Ref: 'Worker' },
            },
          },
          Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'Desk', ProtocolType: 'HTTP' } },
          Stage: {
            Type: 'AWS::ApiGatewayV2::Stage',
            Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
          },
          Integration: {
            Type: 'AWS::ApiGatewayV2::Integration',
            Properties: {
              ApiId: { Ref: 'Api' },
              IntegrationType: 'AWS_PROXY',
              IntegrationUri: { 'Fn::GetAtt': ['Worker', 'Arn'] },
              PayloadFormatVersion: '2.0',
            },
          },
          Permission: {
            Type: 'AWS::Lambda::Permission',
            Properties: {
              Action: 'lambda:InvokeFunction',
              FunctionName: { Ref: 'Worker' },
              Principal: 'apigateway.amazonaws.com',
            },
          },
          Route: {
            Type: 'AWS::ApiGatewayV2::Route',
            Properties: {
              ApiId: { Ref: 'Api' },
              RouteKey: 'GET /',
              Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
            },
          },
        },
      },
    }),
  });
  const request = fetch(`${host.url}/desk/`).catch(() => undefined);
  await eventually(() => events.some((event) => event.type === 'log' && event.line.includes('running')));
  const startedAt = Date.now();
  await host.stop();
  expect(Date.now() - startedAt).toBeLessThan(5000);
  await request;
});
