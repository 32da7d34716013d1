import { describe, expect, test } from '@jest/globals';
import { serveUserPools } from '../../../local/cognito/index.ts';
import { dynamoDbAccess } from '../../../local/dynamodb/dynamodb.ts';
import { restAccess } from '../../../local/endpoint/dispatcher.ts';
import { deniedAnswer } from '../../../local/endpoint/refusals.ts';
import { deniedMessage, evaluate, type AccessRequest, type Policies } from '../../../local/iam/evaluate.ts';
import { compilePolicy, type PolicyKind } from '../../../local/iam/policy.ts';
import { partsOf, without } from '../../policy-parts.ts';
import { sqsAccess } from '../../../local/sqs/sqs.ts';
import type { Json, JsonObject } from '../../../local/template/template.ts';

/** Goal: policies say here what they say on AWS. Method: documents of one statement or two, and requests that they meet. */

const account = '000000000000';
const roleArn = `arn:aws:iam::${account}:role/writer`;
const table = `arn:aws:dynamodb:us-east-1:${account}:table/Things`;
const queue = `arn:aws:sqs:us-east-1:${account}:inbox`;
const role = { kind: 'role', roleArn, sessionName: 'write' } as const;
const allow = (more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Action: 'dynamodb:PutItem',
  Resource: table,
  ...more,
});
const deny = (more: JsonObject = {}): JsonObject => ({ ...allow(more), Effect: 'Deny' });

function compiled(statements: Json, kind: PolicyKind, source: string) {
  return compilePolicy({ Version: '2012-10-17', Statement: statements }, kind, source);
}

function policiesOf(given: {
  readonly identity?: Json;
  readonly boundary?: Json;
  readonly resources?: Readonly<Record<string, Json>>;
}): Policies {
  return {
    accountId: account,
    region: 'us-east-1',
    identity: new Map([[roleArn, compiled(given.identity ?? [], 'identity', 'identity')]]),
    boundaries: new Map(
      given.boundary === undefined ? [] : [[roleArn, compiled(given.boundary, 'identity', 'boundary')]],
    ),
    resources: new Map(
      Object.entries(given.resources ?? {}).map(([arn, statements]) => [
        arn,
        compiled(statements, 'resource', arn),
      ]),
    ),
  };
}

const put: AccessRequest = { principal: role, action: 'dynamodb:PutItem', resourceArn: table };
const isAllowed = (given: Parameters<typeof policiesOf>[0], request: Partial<AccessRequest> = {}): boolean =>
  evaluate(policiesOf(given), { ...put, ...request }).isAllowed;

describe('an identity-based policy', () => {
  test('allows what it names, and nothing else', () => {
    expect(isAllowed({ identity: allow() })).toBe(true);
    expect(isAllowed({})).toBe(false);
    expect(isAllowed({ identity: allow() }, { action: 'dynamodb:DeleteItem' })).toBe(false);
    expect(isAllowed({ identity: allow() }, { resourceArn: `${table}2` })).toBe(false);
    expect(isAllowed({ identity: allow() }, { resourceArn: `${table}/index/byDay` })).toBe(false);
    expect(
      isAllowed({ identity: allow() }, { principal: { ...role, roleArn: `arn:aws:iam::${account}:role/b` } }),
    ).toBe(false);
  });

  test.each([
    ['any case in an action', { Action: 'DynamoDB:putitem' }, true],
    ['lists', { Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: [`${table}2`, table] }, true],
    ['* in an action', { Action: 'dynamodb:Put*' }, true],
    ['* for all actions', { Action: '*' }, true],
    ['? for one character', { Action: 'dynamodb:PutIte?' }, true],
    ['? for no character', { Action: 'dynamodb:PutItem?' }, false],
    ['. for itself alone', { Action: 'dynamodb.PutItem' }, false],
    ['* for all resources', { Resource: '*' }, true],
    ['* in a resource', { Resource: `arn:aws:dynamodb:*:${account}:table/*` }, true],
    ['* that would reach over a colon', { Resource: 'arn:aws:dynamodb:*:table/Things' }, false],
    ['an ARN without its end, which stands for anything', { Resource: 'arn:aws:dynamodb' }, true],
    ['another case in a resource', { Resource: table.toUpperCase() }, false],
  ])('takes %s', (_, statement, expected) => {
    expect(isAllowed({ identity: allow(statement) })).toBe(expected);
  });

  test('takes NotAction and NotResource for all but what they name', () => {
    const notAction = { Effect: 'Allow', NotAction: 'dynamodb:Delete*', Resource: table };
    expect(isAllowed({ identity: notAction })).toBe(true);
    expect(isAllowed({ identity: notAction }, { action: 'dynamodb:DeleteItem' })).toBe(false);
    const notResource = { Effect: 'Allow', Action: 'dynamodb:*', NotResource: table };
    expect(isAllowed({ identity: notResource })).toBe(false);
    expect(isAllowed({ identity: notResource }, { resourceArn: `${table}2` })).toBe(true);
  });

  test('that denies wins over every one that allows', () => {
    expect(isAllowed({ identity: [deny(), allow({ Action: '*', Resource: '*' })] })).toBe(false);
    const everyone = { Principal: '*' };
    expect(isAllowed({ identity: deny(), resources: { [table]: allow(everyone) } })).toBe(false);
    expect(isAllowed({ identity: allow(), resources: { [table]: deny(everyone) } })).toBe(false);
  });

  test('is bounded by a permissions boundary', () => {
    expect(isAllowed({ identity: allow(), boundary: allow({ Action: '*' }) })).toBe(true);
    expect(isAllowed({ identity: allow(), boundary: allow({ Action: 'dynamodb:GetItem' }) })).toBe(false);
    expect(isAllowed({ identity: allow(), boundary: [allow(), deny()] })).toBe(false);
    expect(isAllowed({ boundary: allow() })).toBe(false);
  });
});

describe('a resource-based policy', () => {
  const by = (Principal: Json, more: JsonObject = {}) => ({
    resources: { [table]: allow({ Principal, ...more }) },
  });

  test.each<[string, Json, boolean]>([
    ['everyone', '*', true],
    ['everyone of AWS', { AWS: '*' }, true],
    ['the role', { AWS: roleArn }, true],
    ['the session', { AWS: `arn:aws:sts::${account}:assumed-role/writer/write` }, true],
    ['another session', { AWS: `arn:aws:sts::${account}:assumed-role/writer/read` }, false],
    ['one role of several', { AWS: [`arn:aws:iam::${account}:role/reader`, roleArn] }, true],
    ['another role', { AWS: `arn:aws:iam::${account}:role/reader` }, false],
    ['a service', { Service: 'apigateway.amazonaws.com' }, false],
    ['the account, which leaves it to the identity-based policies', { AWS: account }, false],
    ['the account by its root', { AWS: `arn:aws:iam::${account}:root` }, false],
  ])('that allows %s', (_, principal, expected) => {
    expect(isAllowed(by(principal))).toBe(expected);
  });

  test('that denies the account denies each of its roles', () => {
    expect(
      isAllowed({ identity: allow(), resources: { [table]: deny({ Principal: { AWS: account } }) } }),
    ).toBe(false);
  });

  test('of a table speaks of its indexes, that of a function of its versions', () => {
    const index = `${table}/index/byDay`;
    expect(isAllowed(by('*', { Resource: index }), { resourceArn: index })).toBe(true);
    const functionArn = `arn:aws:lambda:us-east-1:${account}:function:sell`;
    const invoke = allow({ Principal: '*', Action: 'lambda:InvokeFunction', Resource: '*' });
    const request = { action: 'lambda:InvokeFunction', resourceArn: `${functionArn}:7` };
    expect(isAllowed({ resources: { [functionArn]: invoke } }, request)).toBe(true);
  });

  test('lets a service act for the resources that it names', () => {
    const functionArn = `arn:aws:lambda:us-east-1:${account}:function:sell`;
    const api = `arn:aws:execute-api:us-east-1:${account}:abc`;
    const permission = allow({
      Principal: { Service: 'apigateway.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: functionArn,
      Condition: { ArnLike: { 'AWS:SourceArn': `${api}/*/*/sales/{saleId}` } },
    });
    const from = (sourceArn: string, service = 'apigateway.amazonaws.com') =>
      isAllowed(
        { resources: { [functionArn]: permission } },
        {
          principal: { kind: 'service', service, sourceArn },
          action: 'lambda:InvokeFunction',
          resourceArn: functionArn,
        },
      );
    expect(from(`${api}/$default/GET/sales/{saleId}`)).toBe(true);
    expect(from(`${api}/$default/GET/sales`)).toBe(false);
    expect(from(`${api}d/$default/GET/sales/{saleId}`)).toBe(false);
    expect(from(`${api}/$default/GET/sales/{saleId}`, 'events.amazonaws.com')).toBe(false);
  });
});

describe('a condition', () => {
  const source = `arn:aws:execute-api:us-east-1:${account}:abc/$default/GET/sales`;
  const service = { kind: 'service', service: 'apigateway.amazonaws.com', sourceArn: source } as const;
  const asRole = (Condition: Json) => isAllowed({ identity: allow({ Condition }) });
  const asService = (Condition: Json) =>
    isAllowed({ resources: { [table]: allow({ Principal: '*', Condition }) } }, { principal: service });

  test.each<[string, Json, boolean]>([
    ['equality', { StringEquals: { 'aws:PrincipalArn': roleArn } }, true],
    ['equality with one of several', { StringEquals: { 'aws:PrincipalAccount': ['1', account] } }, true],
    ['equality that minds the case', { StringEquals: { 'aws:RequestedRegion': 'US-EAST-1' } }, false],
    ['equality that does not', { StringEqualsIgnoreCase: { 'aws:RequestedRegion': 'US-EAST-1' } }, true],
    ['no wildcards in equality', { StringEquals: { 'aws:PrincipalArn': '*' } }, false],
    ['likeness', { StringLike: { 'aws:PrincipalArn': '*/writ?r' } }, true],
    ['unlikeness', { StringNotLike: { 'aws:PrincipalArn': '*/writ?r' } }, false],
    ['ARNs, part by part', { ArnLike: { 'aws:PrincipalArn': `arn:*:iam::${account}:role/*` } }, true],
    ['ARNs whose parts do not fit', { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam:*:role/*' } }, false],
    ['truth', { Bool: { 'aws:SecureTransport': 'true' } }, true],
    ['truth that is no text', { Bool: { 'aws:SecureTransport': true } }, true],
    ['untruth', { Bool: { 'aws:SecureTransport': 'false' } }, false],
    ['absence', { Null: { 'aws:SourceArn': 'true' } }, true],
    ['presence', { Null: { 'aws:SourceArn': 'false' } }, false],
    ['any case of a key', { StringEquals: { 'AWS:principalACCOUNT': account } }, true],
    ['what is not there to be equal', { StringEquals: { 'aws:SourceArn': source } }, false],
    ['what is not there to differ', { StringNotEquals: { 'aws:SourceArn': source } }, true],
    ['what need not be there', { StringEqualsIfExists: { 'aws:SourceArn': source } }, true],
    ['any of nothing', { 'ForAnyValue:StringEquals': { 'aws:SourceArn': source } }, false],
    ['all of nothing', { 'ForAllValues:StringEquals': { 'aws:SourceArn': source } }, true],
    ['any of one', { 'ForAnyValue:StringLike': { 'aws:PrincipalArn': '*' } }, true],
    [
      'all of several conditions',
      { StringEquals: { 'aws:PrincipalAccount': account, 'aws:PrincipalArn': 'x' } },
      false,
    ],
  ])('knows %s', (_, condition, expected) => {
    expect(asRole(condition)).toBe(expected);
  });

  test('knows for which resource and account a service acts', () => {
    expect(asService({ ArnLike: { 'aws:SourceArn': source.replace('GET', '*') } })).toBe(true);
    expect(asService({ StringEquals: { 'aws:SourceAccount': account } })).toBe(true);
    expect(asService({ StringEquals: { 'aws:SourceAccount': '111111111111' } })).toBe(false);
    expect(asService({ Bool: { 'aws:PrincipalIsAWSService': 'true' } })).toBe(true);
    expect(asRole({ StringEquals: { 'aws:SourceAccount': account } })).toBe(false);
  });

  test('on TLS holds, as the host counts every call, unless it is told otherwise', () => {
    const policies = {
      identity: allow(),
      resources: {
        [table]: deny({ Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      },
    };
    expect(isAllowed(policies)).toBe(true);
    expect(isAllowed(policies, { isSecure: false })).toBe(false);
  });
});

describe('what the host does not understand is refused and named:', () => {
  test.each<[string, JsonObject, PolicyKind, string]>([
    [
      'a key',
      { Condition: { StringEquals: { 'dynamodb:LeadingKeys': 'x' } } },
      'identity',
      'dynamodb:LeadingKeys',
    ],
    ['an operator', { Condition: { IpAddress: { 'aws:SourceArn': 'x' } } }, 'identity', 'IpAddress'],
    [
      'an operator of objects',
      { Condition: { constructor: { 'aws:SourceArn': 'x' } } },
      'identity',
      'constructor',
    ],
    ['a variable', { Resource: 'arn:aws:sqs:::${aws:PrincipalArn}' }, 'identity', '${aws:PrincipalArn}'],
    ['NotPrincipal', { NotPrincipal: '*' }, 'identity', 'NotPrincipal'],
    ['a federated user', { Principal: { Federated: 'x' } }, 'resource', 'Federated'],
    ['a user', { Principal: { AWS: `arn:aws:iam::${account}:user/x` } }, 'resource', 'user/x'],
    ['a principal of an identity', { Principal: '*' }, 'identity', 'Principal'],
    ['a resource without principals', {}, 'resource', 'Principal is missing'],
    ['an effect', { Effect: 'Maybe' }, 'identity', 'Maybe'],
    ['a word', { Colour: 'blue' }, 'identity', 'Colour'],
    ['actions twice', { NotAction: 'x' }, 'identity', 'Action'],
  ])('%s', (_, statement, kind, message) => {
    expect(() => compiled([deny(), allow(statement)].slice(kind === 'identity' ? 0 : 1), kind, 'x')).toThrow(
      expect.objectContaining({ name: 'PolicyError', message: expect.stringContaining(message) }),
    );
  });
});

test('a part is taken away, and nothing else', () => {
  const policies = policiesOf({
    identity: [
      allow({ Action: ['dynamodb:PutItem', 'dynamodb:GetItem'], Resource: [table, `${table}2`] }),
      allow({ Resource: queue }),
    ],
  });
  expect(partsOf(policies)).toEqual([
    { source: 'identity.Statement[0]' },
    { source: 'identity.Statement[0]', action: 'dynamodb:PutItem' },
    { source: 'identity.Statement[0]', action: 'dynamodb:GetItem' },
    { source: 'identity.Statement[0]', resource: table },
    { source: 'identity.Statement[0]', resource: `${table}2` },
    { source: 'identity.Statement[1]' },
  ]);
  const requests = [
    put,
    { ...put, action: 'dynamodb:GetItem' },
    { ...put, resourceArn: `${table}2` },
    { ...put, resourceArn: queue },
  ];
  const left = partsOf(policies).map((part) =>
    requests.map((request) => (evaluate(without(policies, part), request).isAllowed ? 1 : 0)).join(''),
  );
  expect(left).toEqual(['0001', '0101', '1011', '0011', '1101', '1110']);
});

describe('a call of the AWS endpoint needs', () => {
  const accessOf = {
    dynamodb: dynamoDbAccess,
    sqs: sqsAccess,
    'cognito-idp': serveUserPools(new Map()).neededAccess,
    'execute-api': restAccess,
  } as const;
  type Service = keyof typeof accessOf;
  const needed = (service: Service, action: string, request: JsonObject, resourceArn?: string) =>
    accessOf[service](
      {
        service,
        action,
        request,
        caller: { kind: 'operator' },
        signal: new AbortController().signal,
        ...(resourceArn === undefined ? {} : { resourceArn }),
      },
      { accountId: account, region: 'us-east-1' },
    ).map((access) => `${access.action} ${access.resourceArn}`);
  const stream = `${table}/stream/2026-01-01T00:00:00.000`;
  const queueUrl = `http://localhost:4566/${account}/inbox`;
  const taskHandle = Buffer.from(JSON.stringify({ sourceArn: `${queue}-dead` })).toString('base64');
  const redrive = (action: string, source = `${queue}-dead`): readonly string[] =>
    [action, 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((each) => `sqs:${each} ${source}`);
  const pool = `arn:aws:cognito-idp:us-east-1:${account}:userpool/us-east-1_x`;
  const connection = `arn:aws:execute-api:us-east-1:${account}:abc/live/POST/@connections/x=`;

  test.each<[Service, string, JsonObject, readonly string[]]>([
    ['dynamodb', 'PutItem', { TableName: 'Things' }, [`dynamodb:PutItem ${table}`]],
    ['dynamodb', 'PutItem', { TableName: table }, [`dynamodb:PutItem ${table}`]],
    ['dynamodb', 'Query', { TableName: 'Things' }, [`dynamodb:Query ${table}`]],
    ['dynamodb', 'Query', { TableName: 'Things', IndexName: 'i' }, [`dynamodb:Query ${table}/index/i`]],
    ['dynamodb', 'Scan', { TableName: 'Things', IndexName: 'i' }, [`dynamodb:Scan ${table}/index/i`]],
    [
      'dynamodb',
      'BatchGetItem',
      { RequestItems: { Things: {}, Things2: {} } },
      [`dynamodb:BatchGetItem ${table}`, `dynamodb:BatchGetItem ${table}2`],
    ],
    ['dynamodb', 'BatchWriteItem', { RequestItems: { Things: [] } }, [`dynamodb:BatchWriteItem ${table}`]],
    [
      'dynamodb',
      'TransactWriteItems',
      { TransactItems: [{ Put: { TableName: 'Things' } }, { ConditionCheck: { TableName: 'Things2' } }] },
      [`dynamodb:PutItem ${table}`, `dynamodb:ConditionCheckItem ${table}2`],
    ],
    [
      'sqs',
      'StartMessageMoveTask',
      { SourceArn: `${queue}-dead`, DestinationArn: queue },
      [...redrive('StartMessageMoveTask'), `sqs:SendMessage ${queue}`],
    ],
    ['sqs', 'ListMessageMoveTasks', { SourceArn: `${queue}-dead` }, redrive('ListMessageMoveTasks')],
    ['sqs', 'CancelMessageMoveTask', { TaskHandle: taskHandle }, redrive('CancelMessageMoveTask')],
    ['sqs', 'CancelMessageMoveTask', { TaskHandle: 'x' }, redrive('CancelMessageMoveTask', '*')],
    ['dynamodb', 'ListTables', {}, ['dynamodb:ListTables *']],
    ['dynamodb', 'ListStreams', { TableName: 'Things' }, ['dynamodb:ListStreams *']],
    ['dynamodb', 'DescribeStream', { StreamArn: stream }, [`dynamodb:DescribeStream ${stream}`]],
    ['dynamodb', 'GetShardIterator', { StreamArn: stream }, [`dynamodb:GetShardIterator ${stream}`]],
    ['dynamodb', 'GetRecords', { ShardIterator: `${stream}#7` }, [`dynamodb:GetRecords ${stream}`]],
    ['sqs', 'SendMessage', { QueueUrl: queueUrl }, [`sqs:SendMessage ${queue}`]],
    ['sqs', 'SendMessageBatch', { QueueUrl: `${queueUrl}/` }, [`sqs:SendMessage ${queue}`]],
    ['sqs', 'DeleteMessageBatch', { QueueUrl: queueUrl }, [`sqs:DeleteMessage ${queue}`]],
    ['sqs', 'ChangeMessageVisibilityBatch', { QueueUrl: queueUrl }, [`sqs:ChangeMessageVisibility ${queue}`]],
    ['sqs', 'GetQueueUrl', { QueueName: 'inbox' }, [`sqs:GetQueueUrl ${queue}`]],
    ['sqs', 'ListQueues', {}, ['sqs:ListQueues *']],
    ['cognito-idp', 'InitiateAuth', { ClientId: 'x' }, []],
    ['cognito-idp', 'AdminGetUser', { UserPoolId: 'us-east-1_x' }, [`cognito-idp:AdminGetUser ${pool}`]],
  ])('%s:%s %j', (service, action, request, expected) => {
    expect(needed(service, action, request)).toEqual(expected);
  });

  test('the connection that a frame is posted to', () => {
    expect(needed('execute-api', 'ManageConnections', {}, connection)).toEqual([
      `execute-api:ManageConnections ${connection}`,
    ]);
  });
});

describe('AWS says', () => {
  const who = `User: arn:aws:sts::${account}:assumed-role/writer/write is not authorized to perform:`;
  const said = (given: Parameters<typeof policiesOf>[0], request: Partial<AccessRequest> = {}): string => {
    const asked = { ...put, ...request };
    const decision = evaluate(policiesOf(given), asked);
    return decision.isAllowed ? 'allowed' : deniedMessage(asked, decision);
  };

  test('which role, action and resource, and which kind of policy lacks an Allow', () => {
    expect(said({})).toBe(
      `${who} dynamodb:PutItem on resource: ${table} because no identity-based policy allows the dynamodb:PutItem action`,
    );
    expect(said({ identity: allow(), boundary: [] })).toBe(
      `${who} dynamodb:PutItem on resource: ${table} because no permissions boundary allows the dynamodb:PutItem action`,
    );
  });

  test('which kind of policy denies', () => {
    expect(said({ identity: [allow(), deny()] })).toBe(
      `${who} dynamodb:PutItem on resource: ${table} with an explicit deny in an identity-based policy`,
    );
    expect(said({ identity: allow(), resources: { [table]: deny({ Principal: '*' }) } })).toBe(
      `${who} dynamodb:PutItem on resource: ${table} with an explicit deny in a resource-based policy`,
    );
  });

  test('an action of SQS in lower case', () => {
    expect(said({}, { action: 'sqs:SendMessage', resourceArn: queue })).toBe(
      `${who} sqs:sendmessage on resource: ${queue} because no identity-based policy allows the sqs:sendmessage action`,
    );
  });

  test('not which connection, nor the whole account', () => {
    const resourceArn = `arn:aws:execute-api:us-east-1:${account}:abc/live/POST/@connections/x=`;
    expect(said({}, { action: 'execute-api:ManageConnections', resourceArn })).toBe(
      `${who} execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:********0000:abc/live/POST/@connections/{connectionId}`,
    );
  });

  test('who acts, where a service does', () => {
    const sourceArn = `arn:aws:execute-api:us-east-1:${account}:abc/$default/GET/sales`;
    const resourceArn = `arn:aws:lambda:us-east-1:${account}:function:sell`;
    const principal = { kind: 'service', service: 'apigateway.amazonaws.com', sourceArn } as const;
    expect(said({}, { principal, action: 'lambda:InvokeFunction', resourceArn })).toBe(
      `Resource: ${sourceArn} is not authorized to perform: lambda:InvokeFunction on resource: ${resourceArn} because no resource-based policy allows the lambda:InvokeFunction action`,
    );
  });

  test.each([
    ['dynamodb', 400, {}],
    ['sqs', 403, { 'x-amzn-query-error': 'AccessDenied;Sender' }],
  ])('so by %s', (service, status, headers) => {
    expect(deniedAnswer(service, 'No.')).toEqual({
      status,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      body: { __type: 'com.amazon.coral.service#AccessDeniedException', message: 'No.', Message: 'No.' },
    });
  });

  test('so by API Gateway, with the name in a header', () => {
    expect(deniedAnswer('execute-api', 'No.')).toEqual({
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: { Message: 'No.' },
    });
  });
});
