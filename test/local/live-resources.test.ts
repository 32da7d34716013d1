import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startLocalHost } from '../../local/host.ts';
import type { LocalHost } from '../../local/host.ts';
import type { Json, JsonObject } from '../../local/template/template.ts';

// What the host makes of streams, pipes and WebSocket APIs in a template, and what it refuses, as AWS does at creation.

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: JsonObject }>>;

async function start(Resources: Resources, Outputs: JsonObject = {}): Promise<LocalHost> {
  const assembly = mkdtempSync(join(tmpdir(), 'live-'));
  folders.push(assembly);
  const artifacts = {
    Live: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Live.json' } },
  };
  writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ artifacts }));
  writeFileSync(join(assembly, 'Live.json'), JSON.stringify({ Resources, Outputs }));
  return startLocalHost({ assembly, port: 0, awsPort: 0 });
}

async function started(Resources: Resources, Outputs: JsonObject = {}): Promise<LocalHost> {
  const host = await start(Resources, Outputs);
  await host.stop();
  return host;
}

async function refusal(Resources: Resources): Promise<string> {
  try {
    const host = await start(Resources);
    await host.stop();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'not refused';
}

const ref = (logicalId: string): JsonObject => ({ Ref: logicalId });
const attribute = (logicalId: string, name: string): JsonObject => ({ 'Fn::GetAtt': [logicalId, name] });

const table = (stream: JsonObject = { StreamViewType: 'NEW_IMAGE' }) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: stream,
  },
});
const queue = { Type: 'AWS::SQS::Queue', Properties: {} };
const role = {
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: { Effect: 'Allow', Principal: { Service: 'pipes.amazonaws.com' }, Action: 'sts:AssumeRole' },
    },
    Policies: [
      {
        PolicyName: 'StreamToQueue',
        PolicyDocument: {
          Statement: { Effect: 'Allow', Action: ['dynamodb:*', 'sqs:SendMessage'], Resource: '*' },
        },
      },
    ],
  },
};

const pipe = (stream: JsonObject = {}, more: JsonObject = {}) => ({
  Table: table(),
  Queue: queue,
  Role: role,
  Pipe: {
    Type: 'AWS::Pipes::Pipe',
    Properties: {
      RoleArn: attribute('Role', 'Arn'),
      Source: attribute('Table', 'StreamArn'),
      Target: attribute('Queue', 'Arn'),
      SourceParameters: {
        DynamoDBStreamParameters: { StartingPosition: 'TRIM_HORIZON', BatchSize: 10, ...stream },
      },
      ...more,
    },
  },
});

test('a table says where its stream is, and a pipe what it is called', async () => {
  const { outputs, pipes } = await started(pipe(), {
    Stream: { Value: attribute('Table', 'StreamArn') },
    Pipe: { Value: ref('Pipe') },
    Arn: { Value: attribute('Pipe', 'Arn') },
  });
  const { Stream, Pipe = '', Arn } = outputs['Live'] ?? {};
  expect(Stream).toMatch(
    /^arn:aws:dynamodb:us-east-1:000000000000:table\/Live-Table-\w+\/stream\/[\d:T.-]+$/,
  );
  expect(Arn).toBe(`arn:aws:pipes:us-east-1:000000000000:pipe/${Pipe}`);
  expect(pipes).toMatchObject([{ stackName: 'Live', logicalId: 'Pipe', pipeName: Pipe }]);
});

test.each<[string, Resources, string]>([
  [
    'a stream of an unknown view',
    { Table: table({ StreamViewType: 'EVERYTHING' }) },
    'StreamViewType has no EVERYTHING',
  ],
  ['a batch over 10', pipe({ BatchSize: 11 }), 'BatchSize is 11; for an SQS target it may be at most 10'],
  ['no batch size, which is 100', pipe({ BatchSize: { Ref: 'AWS::NoValue' } }), 'BatchSize is 100'],
  ['an unknown start', pipe({ StartingPosition: 'AT_TIMESTAMP' }), 'must be TRIM_HORIZON or LATEST'],
  ['a long window', pipe({ MaximumBatchingWindowInSeconds: 301 }), 'must be between 0 and 300'],
  ['parallel shards', pipe({ ParallelizationFactor: 2 }), 'ParallelizationFactor'],
  ['an enrichment', pipe({}, { Enrichment: 'arn:x' }), 'Enrichment'],
  ['a source that is no stream', pipe({}, { Source: attribute('Queue', 'Arn') }), 'names no stream'],
  ['a target that is no queue', pipe({}, { Target: attribute('Table', 'Arn') }), 'names no queue'],
  [
    'an unknown operator',
    pipe({}, { SourceParameters: { ...sourceWith({ a: [{ glob: 'x' }] }) } }),
    'Filters[0].Pattern: a: the local host does not know the operator "glob"',
  ],
  [
    'a pattern that is no JSON',
    pipe({}, { SourceParameters: { ...sourceWith('{') } }),
    'SourceParameters.FilterCriteria.Filters[0].Pattern',
  ],
  [
    'an unknown variable',
    pipe({}, { TargetParameters: { InputTemplate: '{"a": <aws.pipes.event.json>}' } }),
    'InputTemplate: the local host does not know the variable <aws.pipes.event.json>',
  ],
])('a pipe with %s is refused', async (_, resources, message) => {
  expect(await refusal(resources)).toContain(message);
});

function sourceWith(pattern: Json): JsonObject {
  return {
    DynamoDBStreamParameters: { StartingPosition: 'LATEST', BatchSize: 1 },
    FilterCriteria: {
      Filters: [{ Pattern: typeof pattern === 'string' ? pattern : JSON.stringify(pattern) }],
    },
  };
}

const apiGateway = (name: string, Properties: JsonObject) => ({
  Type: `AWS::ApiGatewayV2::${name}`,
  Properties: name === 'Api' ? Properties : { ApiId: ref('Api'), ...Properties },
});

const webSocketApi = (more: Resources = {}): Resources => ({
  Api: apiGateway('Api', {
    Name: 'Town Crier',
    ProtocolType: 'WEBSOCKET',
    RouteSelectionExpression: '$request.body.action',
  }),
  Mock: apiGateway('Integration', {
    IntegrationType: 'MOCK',
    IntegrationUri: '',
    RequestTemplates: { $default: '{"statusCode": 200}' },
    TemplateSelectionExpression: String.raw`\$default`,
  }),
  Connect: apiGateway('Route', { RouteKey: '$connect', Target: target('Mock') }),
  Stage: apiGateway('Stage', { StageName: 'square', AutoDeploy: true }),
  ...more,
});

function target(logicalId: string): JsonObject {
  return { 'Fn::Join': ['', ['integrations/', ref(logicalId)]] };
}

const awsUrl = (scheme: string, path = ''): JsonObject => ({
  'Fn::Sub': `${scheme}://\${Api}.execute-api.\${AWS::Region}.\${AWS::URLSuffix}${path}`,
});

test('clients find a WebSocket API by its name, functions its connections on the AWS endpoint', async () => {
  const { outputs, url, awsEndpoint } = await started(webSocketApi(), {
    Stage: { Value: awsUrl('wss', '/square') },
    Api: { Value: attribute('Api', 'ApiEndpoint') },
    Callback: { Value: awsUrl('https', '/square') },
    Id: { Value: ref('Api') },
  });
  const webSocketUrl = `${url.replace('http', 'ws')}/town-crier`;
  expect(outputs['Live']).toEqual({
    Stage: webSocketUrl,
    Api: webSocketUrl,
    Callback: `${awsEndpoint}/${outputs['Live']?.['Id']}/square`,
    Id: expect.stringMatching(/^[a-z0-9]{10}$/),
  });
});

const integrationResponse = (key: string, more: JsonObject = {}) =>
  apiGateway('IntegrationResponse', { IntegrationId: ref('Mock'), IntegrationResponseKey: key, ...more });

test.each<[string, readonly string[], number]>([
  ['no integration response', [], 500],
  ['$default', ['$default'], 101],
  ['a pattern that is its status', [String.raw`/2\d\d/`], 101],
  ['patterns that are other statuses', [String.raw`/4\d\d/`, '/20/'], 500],
  ['one of several', [String.raw`/4\d\d/`, '/200/'], 101],
])('the handshake of a mock integration with %s', async (_, keys, status) => {
  const responses = keys.map((key, index) => [`Response${index}`, integrationResponse(key)] as const);
  const host = await start(webSocketApi(Object.fromEntries(responses)), {
    Url: { Value: attribute('Api', 'ApiEndpoint') },
  });
  try {
    expect(await handshakeStatus(host.outputs['Live']?.['Url'] ?? '')).toBe(status);
  } finally {
    await host.stop();
  }
});

async function handshakeStatus(url: string): Promise<number> {
  const socket = new WebSocket(url);
  try {
    return await new Promise((resolve) => {
      socket.once('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode));
      socket.once('open', () => resolve(101));
    });
  } finally {
    socket.once('error', () => undefined);
    socket.terminate();
  }
}

const logRole = (service: string, ManagedPolicyArns: readonly string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
    },
    ManagedPolicyArns,
  },
});
const pushToLogs = 'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs';
const account = {
  Type: 'AWS::ApiGateway::Account',
  Properties: { CloudWatchRoleArn: attribute('LogRole', 'Arn') },
};

test('an account has a role for the access logs of WebSocket APIs, if API Gateway may write by it', async () => {
  const loggedStage = apiGateway('Stage', {
    StageName: 'square',
    AutoDeploy: true,
    AccessLogSettings: { DestinationArn: 'arn:x', Format: '$context.requestId' },
  });
  const logged = (more: Resources): Resources => ({ ...more, ...webSocketApi({ Stage: loggedStage }) });
  const LogRole = logRole('apigateway.amazonaws.com', [pushToLogs]);
  expect(await refusal(logged({ LogRole, Account: account }))).toBe('not refused');
  expect(await refusal(logged({}))).toContain('CloudWatch Logs role ARN must be set in account settings');
  expect(
    await refusal({ LogRole: logRole('lambda.amazonaws.com', [pushToLogs]), Account: account }),
  ).toContain('Please grant trust permission for API Gateway');
  expect(await refusal({ LogRole: logRole('apigateway.amazonaws.com', []), Account: account })).toContain(
    'is not authorized to perform: logs:CreateLogGroup',
  );
});

const httpApi = (more: Resources): Resources => ({
  Api: apiGateway('Api', { Name: 'Shop', ProtocolType: 'HTTP' }),
  ...more,
});

test.each<[string, Resources, string]>([
  ['no stage', { Api: webSocketApi()['Api'] ?? role }, 'has no stage'],
  [
    'a selection it can not read',
    {
      Api: apiGateway('Api', {
        Name: 'x',
        ProtocolType: 'WEBSOCKET',
        RouteSelectionExpression: '$request.header.x',
      }),
    },
    'RouteSelectionExpression $request.header.x is not supported',
  ],
  [
    'a mock that says no status, which answers with an error on AWS',
    webSocketApi({ Mock: apiGateway('Integration', { IntegrationType: 'MOCK', IntegrationUri: '' }) }),
    'a MOCK integration needs RequestTemplates',
  ],
  [
    'a mock that computes its status',
    webSocketApi({
      Mock: apiGateway('Integration', {
        IntegrationType: 'MOCK',
        RequestTemplates: { $default: '#set($code = 200){"statusCode": $code}' },
      }),
    }),
    'a MOCK integration needs RequestTemplates',
  ],
  [
    'an authorizer on a route for messages',
    webSocketApi({
      Hello: apiGateway('Route', {
        RouteKey: 'hello',
        AuthorizationType: 'CUSTOM',
        AuthorizerId: 'x',
        Target: target('Mock'),
      }),
    }),
    'only the route $connect',
  ],
  [
    'an authorizer without an identity',
    webSocketApi({
      Authorizer: apiGateway('Authorizer', {
        AuthorizerType: 'REQUEST',
        AuthorizerUri: 'arn:aws:lambda:us-east-1:000000000000:function:x',
      }),
    }),
    'IdentitySource',
  ],
  [
    'a route twice',
    webSocketApi({ Again: apiGateway('Route', { RouteKey: '$connect', Target: target('Mock') }) }),
    'has a route $connect already',
  ],
  [
    'a route without an integration of its own',
    webSocketApi({ Hello: apiGateway('Route', { RouteKey: 'hello', Target: 'integrations/other' }) }),
    'The route hello of Town Crier names an integration',
  ],
  [
    'a JWT authorizer',
    webSocketApi({
      Authorizer: apiGateway('Authorizer', { AuthorizerType: 'JWT', JwtConfiguration: { Issuer: 'x' } }),
    }),
    'AuthorizerType JWT is not supported for WEBSOCKET APIs',
  ],
  [
    'an integration response for any status that looks like one',
    webSocketApi({ Response: integrationResponse('200') }),
    'IntegrationResponseKey must be $default or a pattern',
  ],
  [
    'an integration response whose pattern is none',
    webSocketApi({ Response: integrationResponse('/2[/') }),
    'IntegrationResponseKey must be $default or a pattern',
  ],
  [
    'an integration response of nothing',
    webSocketApi({ Response: integrationResponse('$default', { IntegrationId: 'other' }) }),
    'IntegrationId other names no integration of this API',
  ],
  [
    'an integration response with a template',
    webSocketApi({ Response: integrationResponse('$default', { ResponseTemplates: { a: '{}' } }) }),
    'ResponseTemplates: Templates of responses are not evaluated.',
  ],
  [
    'limits for single routes',
    webSocketApi({
      Stage: apiGateway('Stage', { StageName: 's', AutoDeploy: true, RouteSettings: { hello: {} } }),
    }),
    'RouteSettings',
  ],
])('a WebSocket API with %s is refused', async (_, resources, message) => {
  expect(await refusal(resources)).toContain(message);
});

test.each<[string, Resources, string]>([
  [
    'a mock integration',
    httpApi({ Mock: apiGateway('Integration', { IntegrationType: 'MOCK', IntegrationUri: '' }) }),
    'IntegrationType MOCK is not supported for HTTP APIs',
  ],
  [
    'a Lambda authorizer',
    httpApi({ Authorizer: apiGateway('Authorizer', { AuthorizerType: 'REQUEST' }) }),
    'AuthorizerType REQUEST is not supported for HTTP APIs',
  ],
  [
    'a route that uses one',
    httpApi({ Route: apiGateway('Route', { RouteKey: 'GET /', AuthorizationType: 'CUSTOM' }) }),
    'AuthorizationType CUSTOM is not supported for HTTP APIs',
  ],
  [
    'the events of the old payload format',
    httpApi({
      Integration: apiGateway('Integration', {
        IntegrationType: 'AWS_PROXY',
        PayloadFormatVersion: '1.0',
      }),
    }),
    'PayloadFormatVersion 1.0 is not supported for HTTP APIs',
  ],
  [
    'an integration response',
    httpApi({ Response: integrationResponse('$default', { IntegrationId: 'x' }) }),
    'names no WebSocket API of this app',
  ],
])('an HTTP API with %s is refused', async (_, resources, message) => {
  expect(await refusal(resources)).toContain(message);
});
